"""The drift report's pictures, a file each, as SVG that is text: no library, no script, no font to load."""
