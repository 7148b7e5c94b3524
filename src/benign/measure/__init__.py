"""What we read off a trained network: errors, margins, and statistics over seeds."""
