"""ST-GCN and ST-TR that answer at every pose and compute one step in time for it (docs/streaming.md).

After Hedegaard, Heidari, Iosifidis: Continual Spatio-Temporal Graph Convolutional Networks, Pattern Recognition 140,
2023, and Continual Transformers, ICLR 2023. The weights are those of a network of clips.
"""
