"""Every limit, interval and threshold of the agent, in one place, with its unit.

Names end in the unit: ``_S`` seconds, ``_MS`` milliseconds, ``_BYTES``, ``_DAYS``.
"""

from __future__ import annotations

# Polling
POLL_INTERVAL_S = 60
POLL_INTERVAL_MIN_S = 10
POLL_INTERVAL_MAX_S = 86_400
POLL_JITTER_SHARE = 0.1
"""Of the interval, added or taken away at random, so that computers switched on together do not poll together."""
BACKOFF_FIRST_INTERVALS = 2.0
"""The bound of the first wait after a failure, in poll intervals (ADR 15)."""
BACKOFF_MAX_S = 600
RETRY_AFTER_MAX_S = 86_400
REFUSED_RETRY_S = 3_600
"""A server that did not know this computer's token is asked again after one to three times this: no refusal is signed."""
CLOCK_JUMP_S = 120
"""A wall clock that is this far from where the monotonic clock says was set, or the computer slept."""

# Requests
CONNECT_TIMEOUT_S = 10
READ_TIMEOUT_S = 20
REQUEST_DEADLINE_S = 60
MEDIA_DEADLINE_S = 900
ANSWER_MAX_BYTES = 64 * 1024
FEED_MAX_BYTES = 4 * 1024 * 1024
FEED_MAX_CAMPAIGNS = 1_000
ME_MAX_BYTES = 16 * 1024 * 1024
DOCUMENT_MAX_BYTES = 256 * 1024
TEXT_LINES_MAX = 300
"""Of an announcement; a line has a layout of its own. The server publishes no more."""
UNSIGNED_TEXT_MAX = 300
"""Characters of a reason or a problem in the words of a server."""

# The device token
TOKEN_PERIOD_DAYS = 30
TOKEN_RETRY_S = 3_600

# Connecting
ENROLMENT_WAITS_S = (0.5, 2.0, 5.0)
"""Before each further try while the answer to an enrolment is lost. The code can be used again for ten minutes."""
ENROLMENT_PATIENCE_S = 30
"""A server that asks for a longer wait is told to the person, who tries again."""

# Media
MEDIA_MAX_BYTES = 500 * 1024 * 1024
IMAGE_MAX_BYTES = 20 * 1024 * 1024
LOGO_MAX_BYTES = 512 * 1024
LOGO_MAX_PX = 1_024
CAPTIONS_MAX_BYTES = 1024 * 1024
MEDIA_CACHE_MAX_BYTES = 2 * 1024 * 1024 * 1024
MEDIA_RETRY_S = 3_600
"""A file that was not what the campaign says is asked for again after this, or when the feed changes."""

# Sending
SIGNAL_BATCH_MAX = 100
OUTBOX_MAX_EVENTS = 10_000
"""For one signal. Beyond it the oldest events are dropped, so that a server away for ever cannot fill a disk."""

DISK_RETRY_S = 0.02
"""A read or write that failed is tried again after this: one fault of a disk is not yet damage."""
EXAMINE_FIRST_S = 300
EXAMINE_S = 86_400
"""All of the store is looked at so long after the start, and then so often: 0.3 s of a worker for 10,000 announcements."""
DISK_LOOKS = 6
"""So often what is damaged is read for the rows that are still in it."""
SET_ASIDE_KEPT = 3
"""Of each file of the store so many damaged ones are kept, the newest."""
DAMAGE_TOLD_DAYS = 7
"""How long people are told that something was damaged."""

CATCH_UP_S = 60
"""What a disk did not take is tried again after this, and with everything that is sent."""

# Helper processes
KEYCHAIN_PATIENCE_S = 2.0
"""Longer than this nothing waits for the keychain. Its answer is taken when it comes."""
KEYCHAIN_COMMAND_PATIENCE_S = 20.0
"""A command that needs the token has nothing else to do: the person may be typing a password."""
KEYCHAIN_TIMEOUT_S = 600
"""A question that nobody answered is withdrawn after this, with its window."""
KEYCHAIN_RETRY_S = 600
"""A keychain that did not open is asked again after this, or when the person acts: each question may show a window."""
VERIFY_TIMEOUT_S = 60
PROXY_TIMEOUT_S = 10
PROXY_MEMORY_S = 300
"""How long it is remembered which proxy leads to an address, unless a request fails meanwhile."""
PROXY_DEAD_S = 300
"""A proxy that led nowhere is tried after all others for so long."""

# Statements of what is assigned
STATEMENT_MAX_S = 48 * 3_600
"""No statement lives longer: after this a server that repeats old answers is noticed."""
TRIAL_MAX_S = 3_600
"""No test that somebody sends to themselves lives longer."""
TRIAL_MAX_COMPUTERS = 200
"""For which one test is signed."""
CLOCK_OFF_S = 86_400
"""A clock that is further from the server's is told to the person. Less is no trouble."""
STATEMENT_AHEAD_S = 3_600
"""A statement that is further ahead of this computer's clock is no bound for those to come."""
DISPUTE_TOLD_DAYS = 7
"""How long people are told that a statement of the future was followed by one of now."""
DATE_STEP_S = 2
"""Two answers within this may well carry the same date."""

# Display
SEEN_AFTER_MS = 3_000
POPUP_TIMEOUT_MS = 20_000
POPUP_TIMEOUT_URGENT_MS = 60_000
PAUSE_CHOICES_S = (1_800, 3_600)
REMIND_CHOICES_S = (900, 3_600)
ASKED_FOR_AT_MOST_S = 2 * 86_400
"""No pause and no reminder is longer ("tomorrow" is less): what is further away was set by a clock that was wrong."""

IDLE_AFTER_S = 300
"""Nobody is there who has touched nothing for this long: a pop-up would come and go unseen."""

PRESENTING_AT_MOST_S = 4 * 3_600
"""Longer than a meeting: a program that keeps the screen on for longer is no presentation, but a tool that is always on."""
PRESENTING_FORGOTTEN_S = 600
"""What was not asked about for this long may have ended and begun again meanwhile."""

# The command line asks the running agent
CONTROL_AT_ONCE = 4
CONTROL_WAITING = 32
"""Questions that are being answered, or wait for their turn."""
CONTROL_LINES = 192
"""Connections. Fewer than the descriptors of a process, of which macOS gives 256."""
CONTROL_QUESTION_S = 30.0
"""For a whole question, however its pieces come."""
CONTROL_TAKEN_S = 30.0
"""Until a whole answer is taken."""
CONTROL_NEAR_S = 2.0
"""Until an agent takes a question that seems to run on another computer, and may run on this one."""
CONTROL_SOON_S = 1.5
"""Until an agent that does not hang takes a question, where somebody waits for more than its answer."""
CONTROL_RETRY_S = 0.5
"""Until somebody is heard again where no descriptor was left for them."""
CONTROL_READY_S = 20.0
"""Until a running agent takes a question."""
CONTROL_PATIENCE_S = 150.0
"""For a whole answer, which may itself wait for the server."""
CONTROL_QUESTION_MAX_BYTES = 64 * 1024
CONTROL_ANSWER_MAX_BYTES = 128 * 1024 * 1024

# One agent for each person's data
BEAT_S = 60
LEASE_S = 180
"""An agent on another computer that gave no sign of life for so long is not there any more."""

# Documents
CAMPAIGN_AFTERLIFE_DAYS = 30
"""After a campaign's end, where its document's own end is not known."""

# Asking
ASK_AGAIN_AFTER_DEFERRAL_DAYS = 7

# Selection
MEDIA_WAIT_S = 120
"""How long a pop-up waits for its picture or video before it is shown without."""

DIGEST_AFTER_S = 2 * 3_600
"""What could have been displayed for so long, and was not, was missed."""
DIGEST_LEAST = 3
"""Fewer that were missed are displayed one by one."""
SAME_POPUP_S = 1
"""What is displayed within this time is one pop-up to the person: a digest."""

# Clock
CLOCK_WATCH_S = 30

# Stopping
STOP_TIMEOUT_S = 3.0
"""How long a stop waits for work under way. What is cut off then is done again after the next start."""
