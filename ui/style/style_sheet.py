"""The style sheet: one, for the whole application, made from a theme.

Widgets are told apart by the dynamic properties ``kind`` and ``tone``.
"""

from __future__ import annotations

from string import Template

from ui.style.theme import Theme

_SHEET = Template("""
QLabel { background: transparent; }
QLabel[tone="muted"] { color: $ink2; }
QLabel[tone="error"] { color: $red; }
QLabel[kind="display"] { font-size: ${px26}px; font-weight: 700; }
QLabel[kind="h1"] { font-size: ${px20}px; font-weight: 700; }
QLabel[kind="h2"] { font-size: ${px16}px; font-weight: 700; }
QLabel[kind="h3"] { font-size: ${px14}px; font-weight: 700; }
QLabel[kind="strong"] { font-weight: 700; }
QLabel[kind="small"] { font-size: ${px12}px; }
QLabel[kind="small-strong"] { font-size: ${px12}px; font-weight: 700; }
QLabel[kind="pill"] {
    font-size: ${px11}px; font-weight: 600; padding: ${px2}px ${px8}px; border-radius: ${px9}px;
    background: $soft; color: $accent;
}
QLabel[kind="pill"][tone="warn"] { background: $warn_soft; color: $warn; }

QPushButton {
    border: 1px solid $button_line; background: $card; color: $ink; border-radius: 8px;
    padding: ${px8}px ${px14}px; font-weight: 600; font-size: ${px13}px; min-height: ${px18}px;
}
QPushButton:hover { background: $hover; }
QPushButton:pressed { background: $soft; }
QPushButton:disabled { color: $ink2; background: $paper; }
QPushButton:focus { border: 2px solid $accent; padding: ${px7}px ${px13}px; }
QPushButton[kind="primary"] { background: $accent; border-color: $accent; color: $accent_ink; }
QPushButton[kind="primary"]:hover, QPushButton[kind="primary"]:pressed { background: $accent_hover; }
QPushButton[kind="primary"]:disabled { background: $disabled; border-color: $line; color: $ink2; }
QPushButton[kind="primary"]:focus { border: 2px solid $accent; }
QPushButton[kind="like"] { padding: ${px8}px ${px11}px; }
QPushButton[kind="like"]:focus { padding: ${px7}px ${px10}px; }
QPushButton[kind="like"]:checked { color: $accent; }
QPushButton[kind="link"] {
    border: 1px solid transparent; border-radius: 4px; background: transparent; color: $ink2; padding: 1px 0;
    min-height: 0;
    font-weight: 400; font-size: ${px12}px; text-decoration: underline;
}
QPushButton[kind="link"]:hover { color: $ink; }
QPushButton[kind="link"]:focus { border: 1px solid $accent; }
QPushButton[kind="filter"] {
    border: 1px solid $soft; background: $soft; color: $accent; border-radius: ${px9}px; padding: ${px2}px ${px8}px;
    font-size: ${px11}px; font-weight: 600; min-height: ${px14}px;
}
QPushButton[kind="filter"]:hover { border-color: $accent; }
QPushButton[kind="filter"]:checked { background: $accent; border-color: $accent; color: $accent_ink; }
QPushButton[kind="filter"]:disabled { background: $paper; border-color: $edge; color: $ink2; }
QPushButton[kind="filter"]:focus { border: 1px solid $ink; }
QPushButton[kind="answer"] { padding: ${px8}px; }
QPushButton[kind="answer"]:focus { padding: ${px7}px; }
QPushButton[kind="row"] {
    text-align: left; background: $soft; border-color: $soft; padding: ${px6}px ${px10}px; font-weight: 500;
}
QPushButton[kind="row"]:hover { border-color: $accent; }
QPushButton[kind="danger"] { color: $red; }
QPushButton[kind="danger"]:focus { border-color: $red; }
QPushButton[kind="compact"] { padding: ${px5}px ${px10}px; font-size: ${px12}px; }
QPushButton[kind="compact"]:focus { padding: ${px4}px ${px9}px; }

QToolButton[kind="icon"] { border: 1px solid transparent; border-radius: 8px; background: transparent; padding: 0; }
QToolButton[kind="icon"]:hover { background: $soft; }
QToolButton[kind="icon"]:focus { border: 1px solid $accent; }

QLineEdit {
    border: 1px solid $edge; border-radius: 9px; background: $card; color: $ink; padding: ${px9}px ${px11}px;
    font-size: ${px14}px; selection-background-color: $accent; selection-color: $accent_ink;
    placeholder-text-color: $ink2;
}
QLineEdit:focus { border: 2px solid $accent; padding: ${px8}px ${px10}px; }
QLineEdit:disabled { color: $ink2; background: $paper; }
QLineEdit[kind="search"] { border-color: $edge; padding: ${px8}px ${px5}px; }
QLineEdit[kind="search"]:focus { border-color: $accent; padding: ${px7}px ${px4}px; }

QPlainTextEdit[kind="field"] {
    border: 1px solid $edge; border-radius: 9px; background: $card; color: $ink; padding: ${px5}px ${px7}px;
    font-size: ${px14}px; selection-background-color: $accent; selection-color: $accent_ink;
}
QPlainTextEdit[kind="field"]:focus { border: 2px solid $accent; padding: ${px4}px ${px6}px; }

QFrame[kind="card"] { background: $card; border: 1px solid $line; border-radius: 14px; }
QFrame[kind="question"] { background: $soft; border: 1px solid $accent; border-radius: 10px; }
QFrame[kind="bytes"] { background: $soft; border: 0; }
QFrame[kind="line"] { background: $line; border: 0; min-height: 1px; max-height: 1px; }
QFrame[kind="column-line"] { background: $line; border: 0; min-width: 1px; max-width: 1px; }
QFrame[kind="bar"] { background: $warn_soft; border: 0; }
QFrame[kind="bar"] QLabel { color: $warn; }

QTextEdit[kind="text"], QTextEdit[kind="large-text"] { background: transparent; border: 0; padding: 0; color: $ink; }
QTextEdit[kind="large-text"] { font-size: ${px17}px; }
QAbstractScrollArea[kind="plain"] { background: transparent; border: 0; }
QAbstractScrollArea[kind="plain"] > QWidget > QWidget { background: transparent; border: 0; }
QAbstractScrollArea[kind="pane"] { background: transparent; border: 1px solid transparent; }
QAbstractScrollArea[kind="pane"] > QWidget > QWidget { background: transparent; }
QAbstractScrollArea[kind="pane"]:focus { border: 1px solid $accent; }
QTableView[kind="table"] { background: transparent; border: 0; outline: 0; }
QTableView[kind="table"] QHeaderView { background: transparent; border: 0; }
QTableView[kind="table"] QHeaderView::section {
    background: transparent; border: 0; border-bottom: 1px solid $line; color: $ink2; font-size: ${px12}px; font-weight: 600;
    padding: ${px8}px 0 ${px8}px ${px10}px;
}
QListView[kind="plain"] { background: transparent; border: 0; outline: 0; }

QComboBox {
    border: 1px solid $edge; border-radius: 8px; background: $card; color: $ink; padding: ${px5}px ${px10}px;
    font-size: ${px13}px;
}
QComboBox:focus { border: 2px solid $accent; padding: ${px4}px ${px9}px; }
QComboBox:disabled { color: $ink2; background: $paper; }
QComboBox::drop-down { border: 0; background: transparent; width: ${px18}px; }
QComboBox QAbstractItemView { background: $card; color: $ink; border: 1px solid $edge; }

QProgressBar { border: 0; background: $soft; border-radius: 2px; max-height: 4px; min-height: 4px; }
QProgressBar::chunk { background: $accent; border-radius: 2px; }

QScrollBar:vertical { background: transparent; width: 10px; margin: 0; }
QScrollBar::handle:vertical { background: $edge; border-radius: 3px; min-height: 28px; margin: 2px; }
QScrollBar::add-line:vertical, QScrollBar::sub-line:vertical { height: 0; }
QScrollBar::add-page:vertical, QScrollBar::sub-page:vertical { background: transparent; }

QMenu { background: $card; color: $ink; border: 1px solid $line; padding: 6px; }
QMenu::item { padding: ${px7}px ${px22}px ${px7}px ${px12}px; border-radius: 6px; }
QMenu::item:selected { background: $menu; color: $menu_ink; }
QMenu::item:disabled { color: $ink2; }
QMenu::separator { height: 1px; background: $line; margin: 4px 2px; }
QLabel[kind="hint"] {
    background: $ink; color: $card; border-radius: 6px; padding: ${px4}px ${px8}px; font-size: ${px12}px;
}
QToolTip { background: $card; color: $ink; border: 1px solid $line; padding: 4px 6px; }
""")


def style_sheet(theme: Theme) -> str:
    """The sheet of a theme; lengths follow its text scale."""
    pixels = {f"px{size}": str(theme.px(size)) for size in range(1, 27)}
    high = theme.line == theme.ink
    return _SHEET.substitute(
        pixels,
        ink=theme.ink,
        ink2=theme.ink2,
        paper=theme.paper,
        card=theme.card,
        line=theme.line,
        edge=theme.edge,
        button_line=theme.edge if high else theme.line,
        disabled=theme.card if high else theme.line,
        accent=theme.accent,
        accent_ink=theme.accent_ink,
        accent_hover=theme.accent_hover,
        soft=theme.soft,
        menu=theme.accent if high else theme.soft,
        menu_ink=theme.accent_ink if high else theme.ink,
        hover=theme.soft if high else theme.hover,
        warn=theme.warn,
        warn_soft=theme.warn_soft,
        red=theme.red,
    )
