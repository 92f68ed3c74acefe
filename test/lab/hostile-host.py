#!/usr/bin/env python3
"""A hostile host on the LAN: floods of forged datagrams, and a web server of a device that is not the router.

    hostile-host.py flood KIND RATE OWN_MAC COMPUTER_MAC   until SIGTERM; then says what it has sent
    hostile-host.py serve KIND                             on port 8000 of all its addresses; says what was asked
    hostile-host.py measure COMMAND...                     runs a command; last line on stderr: what it took

Frames are made beforehand and sent 64 at a time (sendmmsg), because a program that makes each one reaches a tenth of the rate.
Only the destination port is changed, to that of the last search that was heard.

It stands for another machine, so it keeps to one processor, and what is measured to the others.
"""
import ctypes
import json
import os
import random
import re
import select
import signal
import socket
import struct
import sys
import time

GATEWAY, COMPUTER, OWN = '192.168.86.1', '192.168.86.250', '192.168.86.66'
NEIGHBOURS = [f'192.168.86.{n}' for n in range(2, 250) if n != 66] + ['192.168.86.252', '192.168.86.253', OWN]
FOUR = [f'192.168.86.{n}' for n in (2, 3, 4, 5)]
SSDP_GROUP, ALL_HOSTS = '239.255.255.250', '224.0.0.1'
IGD = 'urn:schemas-upnp-org:device:InternetGatewayDevice:1'
EPHEMERAL = range(32768, 61000)  # net.ipv4.ip_local_port_range
FRAMES = 4096
BATCH = 64
random.seed(17)


# --- what is sent: (source address, source port, destination address, destination port or None, payload) --------------

def search_reply(location, number):
    return (
        f'HTTP/1.1 200 OK\r\nCACHE-CONTROL: max-age=120\r\nST: {IGD}\r\nUSN: uuid:{number:08x}-0::{IGD}\r\nEXT:\r\n'
        f'SERVER: hostile\r\nLOCATION: {location}\r\n\r\n'
    ).encode('latin1')


def notify(nts, location, number):
    return (
        f'NOTIFY * HTTP/1.1\r\nHOST: 239.255.255.250:1900\r\nCACHE-CONTROL: max-age=120\r\nNT: {IGD}\r\nNTS: ssdp:{nts}\r\n'
        f'USN: uuid:{number:08x}-0::{IGD}\r\nSERVER: hostile\r\nBOOTID.UPNP.ORG: {number}\r\nLOCATION: {location}\r\n\r\n'
    ).encode('latin1')


def replies(sources, count=FRAMES):
    for n in range(count):
        source = sources[n % len(sources)]
        yield source, 1900, COMPUTER, None, search_reply(f'http://{source}:8000/{n}.xml', n)


def in_the_gateways_name():
    """Half of it is no SSDP at all, a quarter leads to nothing at the router, a quarter to a page that it does not have."""
    for n in range(FRAMES):
        location = f'http://{GATEWAY}:{5000 if n % 4 == 1 else 1024 + n}/{n}.xml'
        payload = search_reply(location, n) if n % 2 else random.randbytes(200)
        yield GATEWAY, 1900, COMPUTER, None, payload


def unreadable():
    """What Node's URL parser cannot read, and has died of: short, and not even Latin-1."""
    hosts = ['\xc3\x80', '\xe2\x82', '//[', '//[::1', '//%zz', '//a b', '//\xff:99999', '//1.2.3.4.5.6:x', '', '//', '\x00', '//999.1.1.1']
    for n in range(FRAMES):
        yield OWN, 1900, COMPUTER, None, search_reply('http:' + hosts[n % len(hosts)] + chr(0x80 + n % 128) * (n % 7), n)


def announcements():
    for n in range(FRAMES):
        location = f'http://{GATEWAY}:5000/{n}.xml'
        epoch = random.randrange(1 << 32)
        yield from [
            (GATEWAY, 1900, SSDP_GROUP, 1900, notify('byebye', location, n)),
            (GATEWAY, 1900, SSDP_GROUP, 1900, notify('alive', location, n)),
            (GATEWAY, 5351, ALL_HOSTS, 5350, struct.pack('!BBBBII12x', 2, 0x80, 0, 0, 0, epoch)),
            (GATEWAY, 5351, ALL_HOSTS, 5350, struct.pack('!BBHI4B', 0, 0x80, 0, epoch, 11, 22, 33, n % 256)),
        ]


def notifies():
    for n in range(FRAMES):
        source = (GATEWAY, OWN, *FOUR)[n % 6]
        yield source, 1900, SSDP_GROUP, 1900, notify(('alive', 'update', 'byebye')[n % 3], f'http://{source}:8000/{n}', n)


def pcp_errors():
    """Bare headers, without the nonce: MAP and ANNOUNCE are not authorised. And version 0: only NAT-PMP is spoken."""
    errors = [struct.pack('!BBBBII12x', 2, 0x80 | opcode, 0, 2, 1800, 17) for opcode in (0, 1)]
    errors.append(struct.pack('!BBHI', 0, 0x81, 1, 17))
    for n, port in enumerate(random.sample(EPHEMERAL, len(EPHEMERAL)) * len(errors)):
        yield GATEWAY, 5351, COMPUTER, port, errors[n // len(EPHEMERAL)]


FLOODS = {
    'one host': lambda: replies([OWN]),
    'neighbours': lambda: replies(NEIGHBOURS),
    'gateway': in_the_gateways_name,
    'four hosts': lambda: replies(FOUR, 64),
    'unreadable': unreadable,
    'announcements': announcements,
    'notifies': notifies,
    'pcp errors': pcp_errors,
}


# --- how it is sent ---------------------------------------------------------------------------------------------------

def checksum(data):
    total = sum(struct.unpack(f'!{len(data) // 2}H', data))
    while total >> 16:
        total = (total & 0xffff) + (total >> 16)
    return ~total & 0xffff


def mac(text):
    return bytes.fromhex(text.replace(':', ''))


def frame(own_mac, computer_mac, source, from_port, to, to_port, payload):
    packed = socket.inet_aton(to)
    is_multicast = packed[0] >= 224
    to_mac = b'\x01\x00\x5e' + bytes([packed[1] & 0x7f]) + packed[2:] if is_multicast else computer_mac
    fields = [0x45, 0, 28 + len(payload), 0, 0, 1 if is_multicast else 64, 17, 0, socket.inet_aton(source), packed]
    fields[7] = checksum(struct.pack('!BBHHHBBH4s4s', *fields))
    head = struct.pack('!BBHHHBBH4s4s', *fields)
    return to_mac + own_mac + b'\x08\x00' + head + struct.pack('!HHHH', from_port, to_port or 9, 8 + len(payload), 0) + payload


PORT_AT = 14 + 20 + 2


class IoVec(ctypes.Structure):
    _fields_ = [('base', ctypes.c_void_p), ('len', ctypes.c_size_t)]


class Message(ctypes.Structure):
    _fields_ = [
        ('name', ctypes.c_void_p), ('namelen', ctypes.c_uint32), ('iov', ctypes.c_void_p), ('iovlen', ctypes.c_size_t),
        ('control', ctypes.c_void_p), ('controllen', ctypes.c_size_t), ('flags', ctypes.c_int), ('sent', ctypes.c_uint),
    ]


def flood(kind, rate, own_mac, computer_mac):
    packets = list(FLOODS[kind]())
    frames = [ctypes.create_string_buffer(frame(mac(own_mac), mac(computer_mac), *each)) for each in packets]
    to_searcher = [each for each, packet in zip(frames, packets) if packet[3] is None]
    vectors = (IoVec * len(frames))(*[IoVec(ctypes.addressof(each), len(each) - 1) for each in frames])
    messages = (Message * len(frames))(
        *[Message(iov=ctypes.addressof(vectors) + n * ctypes.sizeof(IoVec), iovlen=1) for n in range(len(frames))]
    )
    out = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, 0)
    out.bind(('eth0', 0))
    sendmmsg = ctypes.CDLL(None, use_errno=True).sendmmsg
    searches = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    searches.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    searches.bind((SSDP_GROUP, 1900))
    searches.setsockopt(socket.IPPROTO_IP, socket.IP_ADD_MEMBERSHIP, socket.inet_aton(SSDP_GROUP) + socket.inet_aton(OWN))
    searches.setblocking(False)

    def hear():
        port = None
        try:
            while True:
                datagram, sender = searches.recvfrom(2048)
                if datagram.startswith(b'M-SEARCH') and sender[0] == COMPUTER:
                    port = sender[1]
        except BlockingIOError:
            pass
        if port is not None and to_searcher and port != hear.port:
            hear.port = port
            for each in to_searcher:
                each[PORT_AT:PORT_AT + 2] = struct.pack('!H', port)

    hear.port = None
    is_over = []
    signal.signal(signal.SIGTERM, lambda *_: is_over.append(True))
    sent, at, start_s = 0, 0, time.monotonic()
    print('ready', flush=True)
    while not is_over:
        hear()
        behind = int(rate * (time.monotonic() - start_s)) - sent
        if behind <= 0:
            select.select([searches], [], [], 0.0005)
            continue
        count = min(BATCH, behind, len(frames) - at)
        done = sendmmsg(out.fileno(), ctypes.byref(messages, at * ctypes.sizeof(Message)), count, 0)
        if done > 0:
            sent, at = sent + done, (at + done) % len(frames)
        else:
            time.sleep(0.0002)  # the queue is full
    seconds = time.monotonic() - start_s
    print(json.dumps({'perSecond': round(sent / seconds)}), flush=True)


# --- what its web server says -----------------------------------------------------------------------------------------

WANIP = 'urn:schemas-upnp-org:service:WANIPConnection:1'
DEVICE = (
    f'<device><deviceType>{IGD}</deviceType><friendlyName>hostile</friendlyName><UDN>uuid:bad</UDN><serviceList><service>'
    f'<serviceType>{WANIP}</serviceType><serviceId>x</serviceId><SCPDURL>/s</SCPDURL><controlURL>/c</controlURL>'
    '<eventSubURL>/e</eventSubURL></service></serviceList></device>'
)
OPEN, CLOSE = '<?xml version="1.0"?>\n<root xmlns="urn:schemas-upnp-org:device-1-0">', '</root>'
LARGEST_DESCRIPTION, LARGEST_REPLY = 512 * 1024, 128 * 1024
ENVELOPE = '<s:Envelope xmlns:s="http://schemas.xmlsoap.org/soap/envelope/"><s:Body>'
VALUES = {
    'GetStatusInfo': '<NewConnectionStatus>Connected</NewConnectionStatus><NewLastConnectionError>x</NewLastConnectionError>'
    '<NewUptime>9</NewUptime>',
    'GetExternalIPAddress': '<NewExternalIPAddress>11.22.33.99</NewExternalIPAddress>',
}


def soap_reply(action):
    values = VALUES.get(action, '')
    return f'{ENVELOPE}<u:{action}Response xmlns:u="{WANIP}">{values}</u:{action}Response></s:Body></s:Envelope>'


def largest_description():
    """As many nodes as are read, and text up to the last byte."""
    left = LARGEST_DESCRIPTION - len(OPEN + DEVICE + CLOSE)
    elements = ''.join(f'<a{n % 10}>&amp;</a{n % 10}>' for n in range(9950))
    return OPEN + elements + 'x' * (left - len(elements)) + DEVICE + CLOSE


def of_blanks(size, action):
    """Each is a run of blanks, or many, at a place where a decoder passes over blanks."""
    start = f'{ENVELOPE}<u:{action}Response xmlns:u="{WANIP}"'
    forms = [('', '', ' '), ('<?xml', 'x', ' '), (ENVELOPE, '<', '\n'), (start, '!', '\t'), (start + '><NewUptime', '>', ' '), (start + '>', '</', '\r\n'),
             ('<errorCode>', 'x', ' '), ('', '>', '<errorCode> '), (start + '><a>', '</a', ' '), ('<root>', '</root x', ' '), ('', '', '\0 ')]
    first, last, blank = random.choice(forms)
    return (first + blank * size)[:size - len(last)] + last


def body_of(kind, request):
    action = re.search(r'^SOAPAction:.*#(\w+)', request, re.IGNORECASE | re.MULTILINE)
    if action is not None:
        return of_blanks(LARGEST_REPLY, action[1]) if kind == 'blanks' else soap_reply(action[1])
    if kind == 'large':
        return LARGEST
    return of_blanks(LARGEST_DESCRIPTION, '') if kind == 'blanks' and random.random() < 0.5 else OPEN + DEVICE + CLOSE


LARGEST = largest_description()


def serve(kind):
    import asyncio

    async def answer(reader, writer):
        try:
            request = (await reader.readuntil(b'\r\n\r\n')).decode('latin1')
            if 'PortMapping' in request:
                print('was asked for a port', flush=True)
            body = body_of(kind, request).encode()
            writer.write(f'HTTP/1.1 200 OK\r\nContent-Length: {len(body)}\r\nConnection: close\r\n\r\n'.encode() + body)
            await writer.drain()
        except (OSError, asyncio.IncompleteReadError):
            pass
        finally:
            writer.close()

    async def listen():
        server = await asyncio.start_server(answer, '0.0.0.0', 8000, backlog=512)
        print('ready', flush=True)
        await server.serve_forever()

    asyncio.run(listen())


def measure(command):
    start_s = time.monotonic()
    child = os.spawnvp(os.P_NOWAIT, command[0], command)
    _, status, used = os.wait4(child, 0)
    took = {'wallMs': round((time.monotonic() - start_s) * 1000), 'mostKib': used.ru_maxrss, 'cpuMs': round((used.ru_utime + used.ru_stime) * 1000)}
    print(json.dumps(took), file=sys.stderr, flush=True)
    sys.exit(os.waitstatus_to_exitcode(status) & 0xff)


ALL = sorted(os.sched_getaffinity(0))
os.sched_setaffinity(0, ALL[1:] if sys.argv[1:2] == ['measure'] and len(ALL) > 1 else ALL[:1])

match sys.argv[1:]:
    case ['flood', kind, rate, own_mac, computer_mac]:
        flood(kind, int(rate), own_mac, computer_mac)
    case ['serve', kind]:
        os.nice(10)  # the flood goes first
        serve(kind)
    case ['measure', *command]:
        measure(command)
    case _:
        sys.exit(__doc__)
