"""The pretraining paper's protocols, ablations and figures."""
