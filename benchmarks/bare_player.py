"""The reference: the least that a PySide6 program showing a video can be. Says when its first frame is there."""

import sys

from PySide6.QtCore import QUrl
from PySide6.QtMultimedia import QMediaPlayer, QVideoFrame
from PySide6.QtMultimediaWidgets import QVideoWidget
from PySide6.QtWidgets import QApplication


def main() -> int:
    """Plays the file that is named, until its standard input closes."""
    application = QApplication([])
    widget = QVideoWidget()
    widget.resize(960, 540)
    player = QMediaPlayer()
    player.setVideoOutput(widget)
    told = False

    def frame_came(frame: QVideoFrame) -> None:
        nonlocal told
        if frame.isValid() and not told:
            told = True
            print("first frame", flush=True)

    widget.videoSink().videoFrameChanged.connect(frame_came)
    widget.show()
    player.setSource(QUrl.fromLocalFile(sys.argv[1]))
    player.play()
    return application.exec()


if __name__ == "__main__":
    sys.exit(main())
