"""Files of the virtual desktop: GTK's theme, the panel with its tray, the window manager, a stand-in for a browser."""

from pathlib import Path
from xml.etree import ElementTree

PANEL_HEIGHT = 30
TRAY_WIDTH = 34
TRAYER = [
    # A panel reserves its room: without, a pop-up lies over its icons and whichever is above gets the click.
    *("--SetDockType", "true", "--SetPartialStrut", "true", "--edge", "bottom", "--align", "right"),
    *(
        "--widthtype",
        "pixel",
        "--width",
        str(TRAY_WIDTH),
        "--heighttype",
        "pixel",
        "--height",
        str(PANEL_HEIGHT),
    ),
]
WALLPAPERS = {"light": ("#DCE7EA", "#8FB3B8"), "dark": ("#10272B", "#1F4A50")}

Value = bool | int | str | list[int]


def wallpaper(scheme: str) -> list[str]:
    """Hsetroot's words for a calm background."""
    first, second = WALLPAPERS[scheme]
    return ["-add", first, "-add", second, "-gradient", "30"]


def browser(folder: Path, opened_links: Path) -> Path:
    """Makes an `xdg-open` that notes the address it is given, and gives the folder that it is in."""
    programs = folder / "bin"
    programs.mkdir()
    program = programs / "xdg-open"
    program.write_text(f'#!/bin/sh\nprintf "%s\\n" "$1" >> "{opened_links}"\n')
    program.chmod(0o755)
    return programs


def notification_server(folder: Path) -> Path:
    """Makes dunst's settings: one at the top right, a left click does what it offers. Gives the file."""
    file = folder / "dunstrc"
    file.write_text(
        "[global]\n"
        "width = 320\n"
        "offset = 24x24\n"
        "font = Inter 10\n"
        "icon_position = off\n"
        "mouse_left_click = do_action, close_current\n"
        "mouse_right_click = close_current\n"
    )
    return file


def write(config_home: Path, dark: bool, compositor: bool) -> None:
    """Writes them below XDG_CONFIG_HOME."""
    gtk = config_home / "gtk-3.0"
    gtk.mkdir(parents=True)
    gtk.joinpath("settings.ini").write_text(
        "[Settings]\n"
        "gtk-theme-name = Adwaita\n"
        f"gtk-application-prefer-dark-theme = {int(dark)}\n"
        "gtk-icon-theme-name = Adwaita\n"
        "gtk-font-name = Inter 10\n"
    )
    channels = config_home / "xfce4/xfconf/xfce-perchannel-xml"
    channels.mkdir(parents=True)
    for name, properties in {"xfce4-panel": panel(dark), "xfwm4": window_manager(compositor)}.items():
        channel = ElementTree.Element("channel", name=name, version="1.0")
        for path, value in properties.items():
            set_property(channel, path, value)
        ElementTree.ElementTree(channel).write(channels / f"{name}.xml", "UTF-8", xml_declaration=True)


def panel(dark: bool) -> dict[str, Value]:
    """One panel at the bottom. The tray is last, so that its icons are found at the right end.

    They are found as what changed there: the clock stands still, or each new minute would be an icon.
    """
    plugins = ["tasklist", "separator", "clock", "systray"]
    properties: dict[str, Value] = {
        "configver": 2,
        "panels": [1],
        "panels/dark-mode": dark,
        "panels/panel-1/position": "p=8;x=0;y=0",
        "panels/panel-1/length": 100,
        "panels/panel-1/position-locked": True,
        "panels/panel-1/size": PANEL_HEIGHT,
        "panels/panel-1/icon-size": 20,
        "panels/panel-1/plugin-ids": list(range(1, len(plugins) + 1)),
        "plugins/plugin-2/expand": True,
        "plugins/plugin-2/style": 0,
        "plugins/plugin-3/digital-time-format": "09:41",
        "plugins/plugin-3/digital-layout": 3,
        "plugins/plugin-4/square-icons": True,
    }
    return properties | {f"plugins/plugin-{number}": name for number, name in enumerate(plugins, 1)}


def window_manager(compositor: bool) -> dict[str, Value]:
    """xfwm4 with one workspace and new windows in the middle."""
    return {
        "general/use_compositing": compositor,
        "general/workspace_count": 1,
        "general/placement_mode": "center",
        "general/placement_ratio": 100,
        "general/title_font": "Inter Bold 9",
        "general/theme": "Default",
    }


def set_property(channel: ElementTree.Element, path: str, value: Value) -> None:
    """Adds a value at a slash-separated path, with xfconf's types."""
    node = channel
    for name in path.split("/"):
        child = node.find(f"property[@name='{name}']")
        if child is None:
            child = ElementTree.SubElement(node, "property", name=name, type="empty")
        node = child
    if isinstance(value, list):
        node.set("type", "array")
        for item in value:
            ElementTree.SubElement(node, "value", type="int", value=str(item))
    elif isinstance(value, bool):
        node.attrib.update(type="bool", value=str(value).lower())
    elif isinstance(value, int):
        unsigned = path.endswith(("size", "length", "style", "layout"))
        node.attrib.update(type="uint" if unsigned else "int", value=str(value))
    else:
        node.attrib.update(type="string", value=value)
