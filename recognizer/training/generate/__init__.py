"""Made-up clips of actions: training of SA-GCN, its ablations and baselines, measures, and clips for others to use."""
