"""What commands print: tables, summaries, warnings."""
