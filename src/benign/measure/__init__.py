"""What we read off a trained network: errors, margins, and intervals."""
