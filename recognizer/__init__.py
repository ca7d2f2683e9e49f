"""From poses to actions: the sliding window, the features, the recognizer and the decision.

Calls point one way: main -> app -> recognizer -> pose. torch appears only in recognizer.training.
"""
