"""Addresses of the console. What allauth has besides these answers 404."""

from allauth.account import views as account_views
from allauth.mfa.recovery_codes import views as codes
from django.urls import path, register_converter
from django.urls.converters import IntConverter, StringConverter

from server.console.pages import (
    access_binding,
    access_review,
    account,
    alone,
    announced,
    audit,
    calendar,
    campaigns,
    check,
    corrections,
    drafts,
    erasures,
    errors,
    groups,
    invitations,
    notice,
    oversight,
    passkeys,
    password,
    people,
    people_import,
    pictures,
    processors,
    recalling,
    record,
    report,
    second_factor,
    templates,
    today,
    videos,
    welcome,
)
from server.console.table_files import FileKind
from server.core.schemas import CAMPAIGN_ID


class CampaignConverter(StringConverter):
    """A campaign's id in an address; anything else is a 404."""

    regex = CAMPAIGN_ID.strip("^$")


class HexConverter(StringConverter):
    """The id of a draft, or of a file that is brought in, in an address."""

    regex = "[0-9a-f]{16}"


class DigestConverter(StringConverter):
    """The SHA-256 of a file, in hex."""

    regex = "[0-9a-f]{64}"


class NumberConverter(IntConverter):
    """A row's number, of as many digits as databases count with."""

    regex = "[0-9]{1,18}"


class FileConverter(StringConverter):
    """The name of a draft's file, of the letters that `drafts.files` gives them."""

    regex = "[a-z0-9.-]{1,200}"


class UploadConverter(StringConverter):
    """The id of an upload."""

    regex = "[0-9a-f]{32}"


register_converter(CampaignConverter, "campaign")
register_converter(UploadConverter, "upload")
register_converter(FileConverter, "file")
register_converter(DigestConverter, "digest")
register_converter(HexConverter, "hex")
register_converter(NumberConverter, "number")

urlpatterns = [
    path("", today.today, name="today"),
    path("campaigns", campaigns.campaigns, name="campaigns"),
    path("campaigns/campaigns.csv", campaigns.campaigns_file, {"kind": FileKind.CSV}, name="campaigns-csv"),
    path(
        "campaigns/campaigns.xlsx", campaigns.campaigns_file, {"kind": FileKind.XLSX}, name="campaigns-xlsx"
    ),
    path("campaigns/alone", alone.alone, name="campaigns-alone"),
    path("campaigns/<campaign:campaign_id>", report.report, name="campaigns-report"),
    path(
        "campaigns/<campaign:campaign_id>/report.csv",
        report.report_file,
        {"kind": FileKind.CSV},
        name="campaigns-report-csv",
    ),
    path(
        "campaigns/<campaign:campaign_id>/report.xlsx",
        report.report_file,
        {"kind": FileKind.XLSX},
        name="campaigns-report-xlsx",
    ),
    path("campaigns/<campaign:campaign_id>/media/<digest:sha256>", announced.media, name="campaigns-media"),
    path("campaigns/<campaign:campaign_id>/recall", recalling.recall_campaign, name="campaigns-recall"),
    path("campaigns/<campaign:campaign_id>/duplicate", drafts.duplicate, name="campaigns-duplicate"),
    path("calendar", calendar.calendar, name="calendar"),
    path("calendar/attention", calendar.attention, name="calendar-attention"),
    path("calendar/budget", calendar.budget, name="calendar-budget"),
    path("drafts", drafts.drafts, name="drafts"),
    path("drafts/new", drafts.new, name="drafts-new"),
    path("drafts/archives", videos.begin_archive, name="drafts-archives"),
    path("drafts/templates/<hex:template_id>", templates.template, name="drafts-template"),
    path("drafts/templates/<hex:template_id>/use", templates.use, name="drafts-template-use"),
    path("drafts/templates/<hex:template_id>/delete", templates.delete, name="drafts-template-delete"),
    path("drafts/<hex:draft_id>", drafts.compose, name="drafts-compose"),
    path("drafts/<hex:draft_id>/save", drafts.save, name="drafts-save"),
    path("drafts/<hex:draft_id>/check", check.check, name="drafts-check"),
    path("drafts/<hex:draft_id>/picture.png", pictures.picture, name="drafts-picture"),
    path("drafts/<hex:draft_id>/publish", check.publish, name="drafts-publish"),
    path("drafts/<hex:draft_id>/show", check.show_on_my_computer, name="drafts-show"),
    path("drafts/<hex:draft_id>/submit", check.submit_draft, name="drafts-submit"),
    path("drafts/<hex:draft_id>/take-back", check.take_draft_back, name="drafts-take-back"),
    path("drafts/<hex:draft_id>/approve", check.approve_draft, name="drafts-approve"),
    path("drafts/<hex:draft_id>/return", check.return_draft, name="drafts-return"),
    path("drafts/<hex:draft_id>/campaign.toml", drafts.as_file, name="drafts-file"),
    path("drafts/<hex:draft_id>/files/<file:name>", drafts.file_of_draft, name="drafts-file-of"),
    path(
        "drafts/<hex:draft_id>/frames/<file:name>/<number:number>", drafts.frame_of_draft, name="drafts-frame"
    ),
    path("drafts/<hex:draft_id>/videos", videos.begin, name="drafts-videos"),
    path("drafts/<hex:draft_id>/videos/<upload:upload_id>", videos.video, name="drafts-video"),
    path("drafts/<hex:draft_id>/conversions", videos.converted, name="drafts-conversions"),
    path("drafts/<hex:draft_id>/versions", drafts.versions, name="drafts-versions"),
    path("drafts/<hex:draft_id>/delete", drafts.delete, name="drafts-delete"),
    path("drafts/<hex:draft_id>/template", templates.keep_as_template, name="drafts-keep"),
    path("people", people.people, name="people"),
    path("people/invitations", invitations.invitations, name="people-invitations"),
    path("people/invitations/new", invitations.invite_people, name="people-invitations-new"),
    path("people/import", people_import.choose_file, name="people-import"),
    path("people/import/<hex:number>", people_import.file, name="people-import-file"),
    path("people/import/<hex:number>/answer", people_import.answer, name="people-import-answer"),
    path("people/<uuid:person_id>", people.person, name="people-person"),
    path("people/<uuid:person_id>/invite", people.invite_person, name="people-invite"),
    path("people/<uuid:person_id>/disconnect", people.disconnect, name="people-disconnect"),
    path("groups", groups.groups, name="groups"),
    path("corrections", corrections.corrections, name="corrections"),
    path("corrections/decide", corrections.decide, name="corrections-decide"),
    path("erasures", erasures.erasures, name="erasures"),
    path("erasures/<int:number>", erasures.erasure_request, name="erasures-request"),
    path("erasures/<int:number>/carry-out", erasures.carry_out, name="erasures-carry-out"),
    path("erasures/<int:number>/take-back", erasures.take_request_back, name="erasures-take-back"),
    path("notice", notice.notice, name="notice"),
    path("notice/new", notice.write, name="notice-new"),
    path("notice/proposal", notice.proposal, name="notice-proposal"),
    path("notice/proposal/put-in-force", notice.put_proposal_in_force, name="notice-put-in-force"),
    path("notice/proposal/take-back", notice.take_proposal_back, name="notice-take-back"),
    path("record", record.record, name="record"),
    path("record/processors", processors.processors, name="record-processors"),
    path("record/processors/add", processors.add_processor, name="record-processors-add"),
    path("record/processors/<number:number>/end", processors.end_processor, name="record-processors-end"),
    path("record/record.csv", record.record_file, {"kind": FileKind.CSV}, name="record-csv"),
    path("record/record.xlsx", record.record_file, {"kind": FileKind.XLSX}, name="record-xlsx"),
    path("audit", audit.audit, name="audit"),
    path("audit/audit.csv", audit.audit_file, {"kind": FileKind.CSV}, name="audit-csv"),
    path("audit/audit.xlsx", audit.audit_file, {"kind": FileKind.XLSX}, name="audit-xlsx"),
    path("audit/verification", audit.verification, name="audit-verification"),
    path("access", access_review.access, name="access"),
    path("access/decide", access_review.decide_access, name="access-decide"),
    path("access/accounts/<int:number>", access_binding.binding, name="access-binding"),
    path("access/accounts/<int:number>/bind", access_binding.bind_account, name="access-bind"),
    path("access/access.csv", access_review.access_file, {"kind": FileKind.CSV}, name="access-csv"),
    path("access/access.xlsx", access_review.access_file, {"kind": FileKind.XLSX}, name="access-xlsx"),
    path("oversight", oversight.oversight, name="oversight"),
    path("oversight/acts.csv", oversight.oversight_file, {"kind": FileKind.CSV}, name="oversight-csv"),
    path("oversight/acts.xlsx", oversight.oversight_file, {"kind": FileKind.XLSX}, name="oversight-xlsx"),
    path("welcome/<str:token>", welcome.welcome, name="welcome"),
    path("sign-in", account_views.login, name="account_login"),
    path("sign-in/second-step", passkeys.SecondStep.as_view(), name="mfa_authenticate"),
    path("sign-in/passkey", passkeys.SignInWithPasskey.as_view(), name="mfa_login_webauthn"),
    path("sign-out", account_views.logout, name="account_logout"),
    path("account", account.account, name="account"),
    path("account/password", password.change_password, name="account-password"),
    path("account/mail", account.choose_notices, name="account-mail"),
    path("account/signed-in", account.signed_in, name="account-signed-in"),
    path("account/sign-out-everywhere", account.sign_out_everywhere, name="account-everywhere"),
    path("account/confirm", passkeys.Confirm.as_view(), name="mfa_reauthenticate"),
    path(
        "account/confirm/passkey", passkeys.ConfirmWithPasskey.as_view(), name="mfa_reauthenticate_webauthn"
    ),
    path("account/passkeys/new", passkeys.AddPasskey.as_view(), name="mfa_add_webauthn"),
    path("account/passkeys/<number:number>", passkeys.passkey, name="account-passkey"),
    path("account/second-factor", account.account, name="mfa_index"),
    path("account/second-factor/new", second_factor.SetUpApp.as_view(), name="mfa_activate_totp"),
    path("account/second-factor/change", second_factor.ReplaceApp.as_view(), name="mfa_deactivate_totp"),
    path("account/recovery-codes", codes.view_recovery_codes, name="mfa_view_recovery_codes"),
    path("account/recovery-codes/new", codes.generate_recovery_codes, name="mfa_generate_recovery_codes"),
]
handler400 = errors.bad_request
handler403 = errors.forbidden
handler404 = errors.not_found
handler429 = errors.too_many_requests  # allauth asks for it by this name
handler500 = errors.failed
