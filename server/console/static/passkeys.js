// Shows what needs a script, and leaves the passkeys themselves to allauth's.
(function () {
  'use strict'
  const starts = {
    add: ['signupForm', 'signup'],
    use: ['authenticateForm', 'authenticate'],
    'sign-in': ['loginForm', 'login']
  }
  if (!window.PublicKeyCredential) return
  document.querySelectorAll('form[data-passkey]').forEach(function (form) {
    const [start, button] = starts[form.dataset.passkey]
    const ids = { credential: 'id_credential', data: 'passkey-options' }
    ids[button] = 'passkey-button'
    window.allauth.webauthn.forms[start]({ ids })
    form.hidden = false
  })
  document.addEventListener('allauth.error', function (event) {
    event.preventDefault()
    document.getElementById('passkey-fault').hidden = false
  })
})()
