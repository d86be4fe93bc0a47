"""QR codes, drawn here: what they say is a secret, and goes to no other host. (pure)"""

import io

import segno


def qr_svg(text: str) -> str:
    """A QR code as an `<svg>` element that scales with its place and needs no style."""
    out = io.BytesIO()
    segno.make_qr(text, error="m").save(
        out, kind="svg", xmldecl=False, omitsize=True, light="#fff", nl=False
    )
    return out.getvalue().decode()
