"""One AWS noun or one decision a construct, secure by default; using a thing grants the least it takes."""
