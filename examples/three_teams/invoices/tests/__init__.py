"""What each module promises."""
