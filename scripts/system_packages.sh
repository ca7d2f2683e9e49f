#!/bin/sh
# Finds what a bare Debian or Ubuntu lacks for MediaPipe, OpenCV and Qt, and installs it where that is
# allowed; otherwise prints the one line to type and exits 2. Usage: system_packages.sh PYTHON
set -eu
python="$1"
missing=""

need() { # need LIBRARY PACKAGE
    ldconfig -p 2>/dev/null | grep -q "$1" || missing="$missing $2"
}

[ "$(uname -s)" = "Linux" ] || exit 0
PATH="$PATH:/sbin:/usr/sbin"

if [ -z "$python" ]; then
    echo "Python 3.11, 3.12 or 3.13 is needed and none was found: install python3.11, or name it with PYTHON=..." >&2
    exit 2
fi
version=$("$python" -c 'import sys; print("%d.%d" % sys.version_info[:2])')
"$python" -c 'import venv, ensurepip' 2>/dev/null || missing="$missing python$version-venv"
need libEGL.so.1 libegl1
need libGLESv2.so.2 libgles2
need libGL.so.1 libgl1
need libglib-2.0.so.0 libglib2.0-0
need libxkbcommon.so.0 libxkbcommon0
need libfontconfig.so.1 libfontconfig1
need libdbus-1.so.3 libdbus-1-3
# The X11 platform of Qt; not needed headless, but then nothing is lost by having it.
need libxcb-cursor.so.0 libxcb-cursor0
need libxcb-icccm.so.4 libxcb-icccm4
need libxcb-image.so.0 libxcb-image0
need libxcb-keysyms.so.1 libxcb-keysyms1
need libxcb-randr.so.0 libxcb-randr0
need libxcb-render-util.so.0 libxcb-render-util0
need libxcb-shape.so.0 libxcb-shape0
need libxcb-xkb.so.1 libxcb-xkb1
need libxcb-xinerama.so.0 libxcb-xinerama0
need libxkbcommon-x11.so.0 libxkbcommon-x11-0

[ -z "$missing" ] && exit 0
install="apt-get update && apt-get install -y --no-install-recommends$missing"
if ! command -v apt-get >/dev/null; then
    echo "these libraries are missing; install your system's packages for:$missing" >&2
    exit 2
fi
export DEBIAN_FRONTEND=noninteractive
if [ "$(id -u)" = 0 ]; then
    echo "installing system packages:$missing"
    sh -c "$install" >/dev/null && exit 0
elif command -v sudo >/dev/null && sudo -n true 2>/dev/null; then
    echo "installing system packages:$missing"
    sudo -n env DEBIAN_FRONTEND=noninteractive sh -c "$install" >/dev/null && exit 0
fi
echo "system packages are missing; type this line and start again:" >&2
echo "    sudo sh -c '$install'" >&2
exit 2
