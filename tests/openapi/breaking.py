"""What a client that was made for one document would stumble over in another."""

from operator import gt, lt

SUCCESS = ("2",)
LIMITS = dict.fromkeys(("maximum", "maxLength", "maxItems", "maxProperties"), lt)
LIMITS |= dict.fromkeys(("minimum", "minLength", "minItems", "minProperties"), gt)
"""What bounds a value, and when a bound is narrower than another."""
FORMS = ("pattern", "const")
"""What a value has to be like: another one may be narrower."""


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
    yield from _of_security(
        where, *(one[1].get("security") or one[0].get("security") or [{}] for one in (old, new))
    )
    yield from _of_parameters(where, old, new)
    yield from _of_request(where, old, new)
    yield from _of_answers(where, old, new)


def _of_security(where, was, now):
    for one in was:
        if one not in now and {} not in now:
            yield f"{where}: {' and '.join(one) or 'no credential'} does not open it"


def _of_parameters(where, old, new):
    was, now = (
        {(one["in"], one["name"]): one for one in found[1].get("parameters", [])}
        for found in (old, new)
    )
    for key in was.keys() - now.keys():
        yield f"{where}: the {key[0]} parameter {key[1]} is gone"
    for key, one in now.items():
        if one.get("required") and not was.get(key, {}).get("required"):
            yield f"{where}: the {key[0]} parameter {key[1]} is needed"
        if key in was:
            pair = (old[0], was[key].get("schema", {})), (new[0], one.get("schema", {}))
            yield from _asked(f"{where} {key[0]} parameter {key[1]}", *pair)


def _of_request(where, old, new):
    was, now = (one[1].get("requestBody", {}) for one in (old, new))
    if now.get("required") and not was.get("required"):
        yield f"{where}: a body is needed"
    for media_type, content in was.get("content", {}).items():
        if media_type not in now.get("content", {}):
            yield f"{where}: {media_type} is not taken"
        else:
            pair = (old[0], content["schema"]), (new[0], now["content"][media_type]["schema"])
            yield from _asked(f"{where} request", *pair)


def _of_answers(where, old, new):
    for status, response in old[1]["responses"].items():
        if not status.startswith(SUCCESS):
            continue
        if status not in new[1]["responses"]:
            yield f"{where}: {status} is gone"
            continue
        pair = (old[0], response), (new[0], new[1]["responses"][status])
        was, now = (_resolved(*one).get("content", {}) for one in pair)
        for media_type, content in was.items():
            if media_type not in now:
                yield f"{where} {status}: {media_type} is gone"
            else:
                told = (old[0], content["schema"]), (new[0], now[media_type]["schema"])
                yield from _told(f"{where} {status}", *told)


def _asked(where, old, new):
    """Of what clients send: nothing may be needed, refused or of another type that was not."""
    was, now = (_resolved(*one) for one in (old, new))
    if "anyOf" in was or "anyOf" in now:
        if not _each_fits(_forms(old[0], was), _forms(new[0], now), _asked):
            yield f"{where}: a form is refused"
        return
    yield from _of_type(where, was, now)
    yield from _of_limits(where, was, now)
    for name in sorted(set(now.get("required", [])) - set(was.get("required", []))):
        yield f"{where}: {name} is needed"
    yield from _of_parts(where, (old[0], was), (new[0], now), _asked)


def _of_limits(where, was, now):
    """What a client may send is not narrower than it was."""
    yield from _of_values(where, was, now)
    if now.get("additionalProperties") is False and was.get("additionalProperties") is not False:
        yield f"{where}: takes no other members"
    for name, is_narrower in LIMITS.items():
        if name in now and (name not in was or is_narrower(now[name], was[name])):
            yield f"{where}: {name} was {was.get(name)}, is {now[name]}"


def _of_values(where, was, now):
    if "enum" in now and "enum" not in was:
        yield f"{where}: takes some values alone"
    for value in was.get("enum", []):
        if "enum" in now and value not in now["enum"]:
            yield f"{where}: {value} is refused"
    for name in FORMS:
        if name in now and now[name] != was.get(name):
            yield f"{where}: {name} is another"


def _told(where, old, new):
    """Of what clients read: nothing may be left out or of another type that was not."""
    was, now = (_resolved(*one) for one in (old, new))
    if "anyOf" in was or "anyOf" in now:
        if not _each_fits(
            _forms(new[0], now), _forms(old[0], was), lambda at, a, b: _told(at, b, a)
        ):
            yield f"{where}: has another form"
        return
    yield from _of_type(where, was, now)
    for name in sorted(set(was.get("required", [])) - set(now.get("required", []))):
        yield f"{where}: {name} may be left out"
    yield from _of_parts(where, (old[0], was), (new[0], now), _told)


def _forms(document, schema):
    return [(document, one) for one in schema.get("anyOf", [schema])]


def _each_fits(ones, others, compare):
    """Whether each of some forms is one of the others, which are compared without a finding."""
    return all(any(not list(compare("", one, other)) for other in others) for one in ones)


def _of_type(where, was, now):
    for name in ("type", "format"):
        if was.get(name) != now.get(name) and "type" in was | now:
            yield f"{where}: was {was.get(name)}, is {now.get(name)}"


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


def _resolved(document, schema):
    while "$ref" in schema:
        _, _, kind, name = schema["$ref"].split("/")
        schema = document["components"][kind][name]
    return schema
