"""What happens to files on their way."""

from hypothesis import strategies as st


def damaged(whole: bytes, data: st.DataObject) -> bytes:
    """The file with up to four of its lines dropped, doubled, swapped or overwritten."""
    lines = whole.split(b"\r\n")
    for _ in range(data.draw(st.integers(1, 4))):
        at, other = data.draw(st.integers(0, len(lines) - 1)), data.draw(st.integers(0, len(lines) - 1))
        way = data.draw(st.integers(0, 3))
        if way == 0:
            lines[at] = b""
        elif way == 1:
            lines[at], lines[other] = lines[other], lines[at]
        elif way == 2:
            lines[at] += b"\r\n" + lines[other]
        else:
            cut = data.draw(st.integers(0, len(lines[at])))
            lines[at] = lines[at][:cut] + data.draw(st.binary(max_size=6)) + lines[at][cut + 2 :]
    return b"\r\n".join(lines)
