"""Load: many visitors at once, each with a browser's own protocol, on an app that is started for it on this machine."""
