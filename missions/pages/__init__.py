"""Pages of missions for people; those with a map or a history are in tracking."""
