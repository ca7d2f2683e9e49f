"""Addresses as people type them, right and wrong, with a secret in each. FIRST and LAST are the secret's halves."""

FIRST, LAST = "Zq7xV", "kW4yB"
PLAIN = FIRST + LAST


def spellings(port):
    """Each address names this machine, and a port at which nobody listens, where it names anything at all."""
    at = f"127.0.0.1:{port}"
    marks = "/#?@:%&=+;,!$*^~|\\[ '\""
    return [
        *(f"rtsp://admin:{FIRST}{mark}{LAST}@{at}/live" for mark in marks),
        *(f"http://admin:{FIRST}{mark}{LAST}@{at}/live/" for mark in "/#?@ "),
        f"rtsp://admin:12/{PLAIN}@{at}",
        f"rtsp://admin:12?{PLAIN}@{at}",
        f"rtsp://{FIRST}/{LAST}@{at}",
        f"rtsp://{PLAIN}@{at}/live",
        f"http://:{PLAIN}@{at}/live",
        f"rtsp://{at}/user=admin_password={PLAIN}_channel=1_stream=0.sdp?real_stream",
        f"rtsp://{at}/user=admin&password={PLAIN}&channel=1&stream=0.sdp",
        f"rtsp://{at}/live;password={PLAIN}",
        f"rtsp://{at}/{PLAIN}",
        f"rtsp://{at}/pass/{PLAIN}/live",
        f"http://{at}/live?token={PLAIN}",
        f"http://{at}/live?x=1&{PLAIN}",
        f"http://{at}/live#access_token={PLAIN}",
        f"http://{at}/token/{PLAIN}/live.m3u8",
        f"http://{at}/{FIRST}@{LAST}/live",
        f"rtmp://{at}/live/{PLAIN}",
        f"admin:{PLAIN}@{at}",
        f"admin:{PLAIN}@{at}/live.mp4",
        f"{PLAIN}@{at}",
        f"//admin:{PLAIN}@{at}/live",
        f"/admin:{PLAIN}@{at}/live",
        f"http//admin:{PLAIN}@{at}",
        f"http:/admin:{PLAIN}@{at}",
        f"http:admin:{PLAIN}@{at}",
        f"rtsp;//admin:{PLAIN}@{at}",
        f"rtsp:\\\\admin:{PLAIN}@{at}",
        f"rstp://admin:{PLAIN}@{at}/live",
        f"ftp://admin:{PLAIN}@{at}/live.mp4",
        f"file://admin:{PLAIN}@{at}/live.mp4",
        f"{at}/live?token={PLAIN}",
        f"{at}/user=admin_password={PLAIN}_channel=1",
        f"rtsp://admin:{PLAIN}@",
        f"rtsp://admin:{PLAIN}",
        f"rtsp://admin:{PLAIN}@127.0.0.1:99999/live",
        f"rtsp://admin:{PLAIN}@[::1/live",
        f"RTSP://ADMIN:{PLAIN}@{at}/LIVE",
        f"  http://admin:{PLAIN}@{at}/live\n",
    ]
