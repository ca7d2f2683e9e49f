"""ActionLens: watches a camera and says what a person is doing."""

from app.__main__ import start

if __name__ == "__main__":
    start()
