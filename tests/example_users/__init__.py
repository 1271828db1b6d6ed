"""Users of a host whose keys are longer than a subject may be."""
