"""EventBridge and its schedules: rules match, schedules fire, targets are called."""
