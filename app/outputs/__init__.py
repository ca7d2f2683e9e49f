"""Where results go besides the window: JSON lines, event stream, table, history, saved video, virtual camera."""
