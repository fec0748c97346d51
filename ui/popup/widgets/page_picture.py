"""The picture of a pop-up's page, or its video's poster."""

from __future__ import annotations

from ui.popup.pages import PopupPage
from ui.style import text_format
from ui.widgets.picture import Picture


class PagePicture(Picture):
    """Hidden where a page has neither."""

    def show_page(self, page: PopupPage) -> None:
        """In place of the one before."""
        self.setVisible(page.has_picture or page.has_video)
        if page.duration_ms is not None:
            badge = text_format.video_badge(page.duration_ms, page.has_captions)
            self.show_poster(page.picture, alt=page.picture_alt, badge=badge)
        else:
            self.show_picture(page.picture, alt=page.picture_alt)
