"""What follows the log outwards: hints to other replicas."""
