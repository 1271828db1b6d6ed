"""What the contract says of an import (§7): nothing is lost, and nothing comes back to life."""

import copy

from .model import Client, Service


def copied(whole, names):
    """A snapshot as records of other services would be: `names` leads from name to name."""
    for service in whole.services:
        service.name = names[service.name]
    for one in (*whole.grants, *whole.tokens):
        one.name = f"{one.name}'"
    for token in whole.tokens:
        token.family = f"{token.family}'"
    return whole


def take(model, whole, now, actor):
    """What an import of this snapshot makes of what is there; one event for each service."""
    known = _Known(model)
    for service in whole.services:
        known.services[service.name] = _service(model, known.services.get(service.name), service)
    for client in whole.clients:
        key = client.service.name, client.client_id
        service = known.services[client.service.name]
        known.clients[key] = _client(model, known.clients.get(key), client, service)
    for grant in whole.grants:
        key = grant.service.name, grant.grant_id
        known.grants[key] = take_grant(model, known.grants.get(key), grant, known, now)
    for token in whole.tokens:
        key = token.service.name, token.kind, token.value
        _token(model, known.tokens.get(key), token, known, now)
    for service in whole.services:
        model.record(known.services[service.name], "imported", actor)


class _Known:
    def __init__(self, model):
        self.services = {one.name: one for one in model.services}
        self.clients = {(one.service.name, one.client_id): one for one in model.clients}
        grants = [one for one in model.grants if not one.is_gone]
        self.grants = {(one.service.name, one.grant_id): one for one in grants}
        tokens = [one for one in model.tokens if not one.is_gone]
        self.tokens = {(one.service.name, one.kind, one.value): one for one in tokens}

    def client(self, client):
        return self.clients[client.service.name, client.client_id]


def _service(model, row, given):
    if row is None:
        row = Service(given.name)
        model.services.append(row)
    row.ownership = given.ownership
    row.revoke_access_tokens = given.revoke_access_tokens
    row.not_before = _latest(row.not_before, given.not_before)
    return row


def _client(model, row, given, service):
    if row is None:
        row = Client(service, given.client_id)
        model.clients.append(row)
    row.not_before = _latest(row.not_before, given.not_before)
    row.locked = row.locked or given.locked
    return row


def take_grant(model, row, given, known, now):
    if row is None:
        row = copy.copy(given)
        row.client = known.client(given.client)
        model.grants.append(row)
        return row
    dies = given.revoked and not row.revoked
    row.access = max(row.access + dies, given.access)
    row.refresh = max(row.refresh + dies, given.refresh)
    row.held = type(row.held)(
        given.held.pairs or row.held.pairs,
        given.held.claims or row.held.claims,
        given.held.details or row.held.details,
    )
    row.revoked = row.revoked or given.revoked
    row.died = _earliest(row.died, given.died)
    row.changed = given.changed or row.changed
    row.created = min(row.created, given.created)
    row.expires = _moved(row.expires, given.expires, now)
    row.pending = row.pending and given.pending
    return row


def _token(model, row, given, known, now):
    if row is None:
        row = copy.copy(given)
        row.client = known.client(given.client)
        if given.grant is not None:
            row.grant = known.grants[given.service.name, given.grant.grant_id]
        model.tokens.append(row)
        return
    row.issued = min(row.issued, given.issued)
    row.revoked = _earliest(row.revoked, given.revoked)
    row.rotated = row.rotated or given.rotated
    row.expires = _moved(row.expires, given.expires, now)


def _latest(*stamps):
    return max((one for one in stamps if one is not None), default=None)


def _earliest(*stamps):
    return min((one for one in stamps if one is not None), default=None)


def _moved(held, given, now):
    """An expiry may move, unless it has passed: then it is a death like any other."""
    if given is None:
        return held
    return given if held is None or held > now else min(held, given)
