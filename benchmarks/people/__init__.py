"""Estimators of several people on composed scenes whose poses are known, and on real clips."""
