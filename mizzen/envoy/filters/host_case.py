"""Finds the routes of a host that is written with capital letters, where routes are found by the host as a key.

Hosts are the same in any case (RFC 3986, section 3.2.2), and so they are in a route table; a scope has its key exactly.
This filter chooses the route by the host in lower case and then puts the host back, so that backends, logs and
redirects have what the client wrote. It comes first, since filters look up once what the route has for them, and again
behind tokens, which make Envoy choose the route anew. Every scope switches it off, so it costs nothing for requests
whose route is found at once. What it costs is memory: about 100 KB for each connection manager and worker.
"""

from mizzen._api import pb
from mizzen.envoy.filters.meeting import Meeting, inline

NAME = "mizzen.host_case"

# To ask for the route's metadata is to choose the route, which then stays.
_SCRIPT = """\
function envoy_on_request(request)
  local headers = request:headers()
  local written = headers:get(":authority") or ""
  local lower = string.lower(written)
  if lower ~= written then
    headers:replace(":authority", lower)
    request:clearRouteCache()
    request:metadata()
    headers:replace(":authority", written)
  end
end
"""


def http_filter(meeting: Meeting) -> pb.HttpFilter | None:
    return _filter() if meeting.scoped else None


def filter_after_tokens(meeting: Meeting) -> pb.HttpFilter | None:
    return _filter() if meeting.scoped and meeting.service.judged else None


def _filter() -> pb.HttpFilter:
    lua = pb.Lua()
    lua.default_source_code.inline_string = _SCRIPT
    # Else the route is chosen once more, by the host as it was.
    lua.clear_route_cache.value = False
    return inline(NAME, lua)
