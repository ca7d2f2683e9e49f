"""Several people with the two networks of MediaPipe's pose model, run by ONNX Runtime (docs/several-people.md)."""
