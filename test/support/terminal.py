"""Runs a program in a terminal of its own: terminal.py COLUMNS WHEN PROGRAM ARGUMENT ...

Ctrl-C is typed after so many seconds, or once the program has shown that word; 0 for never. What the terminal got goes to stdout, and how the program ended to
stderr: `exit 0`, or `signal 2`.
"""
import fcntl
import os
import pty
import select
import struct
import sys
import termios
import time

columns, when, argv = int(sys.argv[1]), sys.argv[2], sys.argv[3:]
is_word = when.isalpha()
seconds = 0 if is_word else float(when)
program, terminal = pty.fork()
if program == 0:
    fcntl.ioctl(0, termios.TIOCSWINSZ, struct.pack("HHHH", 24, columns, 0, 0))
    os.execv(argv[0], argv)
typed = seconds == 0 and not is_word
shown = b""
end = time.monotonic() + seconds
while True:
    readable, _, _ = select.select([terminal], [], [], 0.01)
    if not typed and (when.encode() in shown if is_word else time.monotonic() >= end):
        os.write(terminal, b"\x03")
        typed = True
    if not readable:
        continue
    try:
        piece = os.read(terminal, 4096)
    except OSError:  # Linux: everybody has closed it
        break
    if not piece:
        break
    shown += piece
    os.write(1, piece)
_, status = os.waitpid(program, 0)
how = f"signal {os.WTERMSIG(status)}" if os.WIFSIGNALED(status) else f"exit {os.WEXITSTATUS(status)}"
os.write(2, how.encode())
