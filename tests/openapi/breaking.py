"""What a client that was made for one document would stumble over in another."""

SUCCESS = ("2",)


def breaks(old, new):
    """The changes that break clients, a line each: what was taken away, or is needed now."""
    for path, methods in old["paths"].items():
        for method, operation in methods.items():
            now = new["paths"].get(path, {}).get(method)
            where = f"{method.upper()} {path}"
            if now is None:
                yield f"{where}: is gone"
            else:
                yield from _of_operation(where, (old, operation), (new, now))
    for name in old.get("webhooks", {}):
        if name not in new.get("webhooks", {}):
            yield f"webhook {name}: is gone"
        else:
            pair = [(one, _body(one["webhooks"][name]["post"])) for one in (old, new)]
            yield from _told(f"webhook {name}", *pair)


def _of_operation(where, old, new):
    if old[1]["operationId"] != new[1]["operationId"]:
        yield f"{where}: operationId is another"
    yield from _of_parameters(where, old[1], new[1])
    yield from _of_request(where, old, new)
    yield from _of_answers(where, old, new)


def _of_parameters(where, old, new):
    was, now = (
        {
            (one["in"], one["name"]): one.get("required", False)
            for one in found.get("parameters", [])
        }
        for found in (old, new)
    )
    for key in was.keys() - now.keys():
        yield f"{where}: the {key[0]} parameter {key[1]} is gone"
    for key, is_required in now.items():
        if is_required and not was.get(key):
            yield f"{where}: the {key[0]} parameter {key[1]} is needed"


def _of_request(where, old, new):
    was, now = _body(old[1]), _body(new[1])
    if now and not was and new[1]["requestBody"].get("required"):
        yield f"{where}: a body is needed"
    if was and now:
        yield from _asked(f"{where} request", (old[0], was), (new[0], now))
    for media_type in old[1].get("requestBody", {}).get("content", {}):
        if media_type not in new[1].get("requestBody", {}).get("content", {}):
            yield f"{where}: {media_type} is not taken"


def _of_answers(where, old, new):
    for status, response in old[1]["responses"].items():
        if not status.startswith(SUCCESS):
            continue
        if status not in new[1]["responses"]:
            yield f"{where}: {status} is gone"
            continue
        pair = (old[0], response), (new[0], new[1]["responses"][status])
        was, now = (_schema(*one) for one in pair)
        if was and now:
            yield from _told(f"{where} {status}", (old[0], was), (new[0], now))


def _asked(where, old, new):
    """Of what clients send: nothing may be needed, refused or of another type that was not."""
    was, now = (_resolved(*one) for one in (old, new))
    yield from _of_type(where, was, now)
    for name in sorted(set(now.get("required", [])) - set(was.get("required", []))):
        yield f"{where}: {name} is needed"
    for value in was.get("enum", []):
        if "enum" in now and value not in now["enum"]:
            yield f"{where}: {value} is refused"
    yield from _of_parts(where, (old[0], was), (new[0], now), _asked)


def _told(where, old, new):
    """Of what clients read: nothing may be left out or of another type that was not."""
    was, now = (_resolved(*one) for one in (old, new))
    yield from _of_type(where, was, now)
    for name in sorted(set(was.get("required", [])) - set(now.get("required", []))):
        yield f"{where}: {name} may be left out"
    yield from _of_parts(where, (old[0], was), (new[0], now), _told)


def _of_type(where, was, now):
    if was.get("type") != now.get("type") and (was or {}).get("type"):
        yield f"{where}: was {was['type']}, is {now.get('type')}"


def _of_parts(where, old, new, compare):
    was, now = old[1].get("properties", {}), new[1].get("properties", {})
    for name, schema in was.items():
        if name not in now:
            yield f"{where}: {name} is gone"
        else:
            yield from compare(f"{where}.{name}", (old[0], schema), (new[0], now[name]))
    if "items" in old[1] and "items" in new[1]:
        yield from compare(f"{where}[]", (old[0], old[1]["items"]), (new[0], new[1]["items"]))


def _body(operation):
    content = operation.get("requestBody", {}).get("content", {})
    return next(iter(content.values()))["schema"] if content else None


def _schema(document, response):
    content = _resolved(document, response).get("content", {})
    return next(iter(content.values()))["schema"] if content else None


def _resolved(document, schema):
    while "$ref" in schema:
        _, _, kind, name = schema["$ref"].split("/")
        schema = document["components"][kind][name]
    return schema
