"""File formats, each readable and writable alone, without any knowledge of graphs."""
