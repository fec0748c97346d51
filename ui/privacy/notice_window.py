"""The company's privacy notice, whole."""

from __future__ import annotations

from agent.domain.model import Company
from resources.i18n import _, language
from ui.style import text_format
from ui.style.theme import Theme
from ui.widgets.body_text import BodyText
from ui.widgets.text import label
from ui.widgets.window import ContentWindow

WIDTH = 640


class NoticeWindow(ContentWindow):
    """In the person's language where the company wrote it in that one."""

    def __init__(self, theme: Theme, company: Company) -> None:
        super().__init__(theme, _("Privacy notice — {company}").format(company=company.name), width=WIDTH)
        notice = company.notice
        version = _("Version {version}, {date}").format(
            version=notice.version, date=text_format.notice_day(notice.date)
        )
        contact = _("Questions: {name} · {email}").format(name=company.dpo_name, email=company.dpo_email)
        self.text = BodyText(theme, max_width=WIDTH)
        self.content.addWidget(label(_("Privacy notice"), kind="h1", wrap=True))
        self.content.addSpacing(theme.px(4))
        self.content.addWidget(
            label(f"{company.legal_name} · {version}", kind="small", tone="muted", wrap=True)
        )
        self.content.addSpacing(theme.px(16))
        self.content.addWidget(self.text)
        self.content.addSpacing(theme.px(16))
        self.content.addWidget(label(contact, kind="small", tone="muted", wrap=True))
        self.content.addStretch(1)
        self.text.height_changed.connect(self.fit)
        self.text.show_text(notice.in_language(language()) or _("Your company has not written a notice yet."))
