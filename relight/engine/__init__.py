"""Running graphs: plans, passes, generated functions, sessions, resources, random streams."""
