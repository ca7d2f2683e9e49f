"""The data sets that are learnt from, with their terms, as cards state them."""

from recognizer.model_card import TrainingSource

PENN_ACTION = TrainingSource(
    "Penn Action",
    "Zhang, Zhu, Derpanis: From Actemes to Action, ICCV 2013; http://dreamdragon.github.io/PennAction/",
    "research data; the videos belong to their makers",
)
UTD_MHAD = TrainingSource(
    "UTD-MHAD",
    "Chen, Jafari, Kehtarnavaz: UTD-MHAD, ICIP 2015; https://personal.utdallas.edu/~kehtar/UTD-MHAD.html",
    "research data, free to use with citation",
)
NW_UCLA = TrainingSource(
    "Northwestern-UCLA Multiview Action 3D",
    "Wang, Nie, Xia, Wu, Zhu: Cross-view Action Modeling, CVPR 2014",
    "research data, no licence stated",
)
MSR_ACTION3D = TrainingSource(
    "MSR Action3D",
    "Li, Zhang, Liu: Action Recognition Based on a Bag of 3D Points, CVPR Workshops 2010",
    "research data, non-commercial research use",
)
JHMDB_14 = TrainingSource(
    "JHMDB (14 of its 21 actions)",
    "Jhuang, Gall, Zuffi, Schmid, Black: Towards Understanding Action Recognition, ICCV 2013; http://jhmdb.is.tue.mpg.de/",
    "research data; the clips come from films and web videos",
)
WEBCAM_POSES = TrainingSource(
    "Poses of real people before a camera",
    "MediaPipe and OpenPose poses of videos in 30 public repositories, which the set's index names",
    "most owners state no licence, some GPL-2.0, GPL-3.0, MIT or Apache-2.0: for research",
)

TRAINING_DATA = (PENN_ACTION, UTD_MHAD, NW_UCLA, MSR_ACTION3D, JHMDB_14, WEBCAM_POSES)
