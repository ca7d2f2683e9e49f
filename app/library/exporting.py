"""The formats of export, by name; importing this loads nothing heavy."""

FORMATS = {
    "pyskl": "labelled clips as a pickle that PYSKL reads",
    "tables": "recordings and labels as CSV, joints as NPZ",
    "coco": "every pose as JSON in COCO's style",
    "video": "each recording as an MP4 with skeletons and labels",
}
FOLDERS = ("tables", "video")  # formats whose target is a folder
