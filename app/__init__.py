"""The application: live engine, outputs, command line and (in app.ui alone) the Qt window."""
