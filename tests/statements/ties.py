"""Whether each table of a service in a statement is tied to a service.

It is tied by an equality of its `service_id` with a constant, or with the `service_id` of a table
that is tied. Only what holds for every row counts: conditions that are joined by AND, in WHERE and
in ON; that of an outer join says nothing of the side whose rows it all keeps.
"""

import re
from dataclasses import dataclass, field

from pglast import ast, parse_sql
from pglast.enums import A_Expr_Kind, BoolExprType, JoinType, SubLinkType

COLUMN = "service_id"
SERVICES = "grant_management_service"
MEANT = {"%s": "$1", "%b": "$1", "%%": "%"}
_PLACEHOLDERS = re.compile("%[sb%]")
"""As psycopg takes them."""
APART = ("withClause", "fromClause", "usingClause", "relation", "selectStmt")
"""The clauses of a statement that are no expressions."""
ONE_OF = (A_Expr_Kind.AEXPR_IN, A_Expr_Kind.AEXPR_OP_ANY)


def untied(sql, tables):
    """The tables of services in the SQL that nothing ties to one, in the order of the text."""
    found = Found(frozenset(tables))
    for one in parse_sql(_PLACEHOLDERS.sub(lambda match: MEANT[match[0]], sql)):
        found.statement(one.stmt, None, frozenset())
    return found.untied


@dataclass
class Scope:
    """The names of a FROM, with their tables; None: a subquery, whose own tables are looked at."""

    outer: "Scope | None"
    names: dict = field(default_factory=dict)
    tied: set = field(default_factory=set)

    def add(self, name, table, is_tied=False):
        self.names[name] = table
        if is_tied:
            self.tied.add(name)

    def table(self, name):
        if name in self.names or self.outer is None:
            return self.names.get(name)
        return self.outer.table(name)

    def owner(self, column):
        """The name in FROM whose service a column is; None: it is another column, or a value."""
        if not isinstance(column, ast.ColumnRef):
            return None
        parts = [one.sval for one in column.fields if isinstance(one, ast.String)]
        if parts[-1:] == [COLUMN]:
            alone = next(iter(self.names)) if len(self.names) == 1 else None
            return parts[-2] if len(parts) > 1 else alone
        is_service = len(parts) == 2 and parts[1] == "id" and self.table(parts[0]) == SERVICES
        return parts[0] if is_service else None

    def tie(self, conditions):
        """Follow the equalities until nothing more is tied. A name of an outer FROM is judged
        there. With each condition come the names for whose rows it holds.
        """
        pairs = [({*pair}, names) for one, names in conditions if (pair := self._pair(one))]
        for name in {name for pair, _ in pairs for name in pair - {True}}:
            if name not in self.names:
                self.tied.add(name)
        before = -1
        while len(self.tied) > before:
            before = len(self.tied)
            for pair, names in pairs:
                if pair & {True, *self.tied}:
                    self.tied |= pair & names

    def _pair(self, condition):
        """What an equality ties together: names, or True for a value."""
        if isinstance(condition, ast.SubLink):
            owner = self.owner(condition.testexpr) if is_one_of(condition) else None
            return (owner, True) if owner else None
        if not isinstance(condition, ast.A_Expr) or condition.name[0].sval != "=":
            return None  # NOT IN has the name <>
        left = self.owner(condition.lexpr)
        if condition.kind in ONE_OF:
            return (left, True) if left and are_values(condition.rexpr) else None
        if condition.kind != A_Expr_Kind.AEXPR_OP:
            return None
        right = self.owner(condition.rexpr)
        sides = (left or is_value(condition.lexpr), right or is_value(condition.rexpr))
        return sides if all(sides) and sides != (True, True) else None


@dataclass
class Found:
    """What was found in a statement."""

    tables: frozenset
    untied: list = field(default_factory=list)

    def statement(self, one, outer, known):
        """`known` are the names of common table expressions around it."""
        if isinstance(one, ast.DeclareCursorStmt):
            return self.statement(one.query, outer, known)
        known = self._common(one, outer, known)
        if isinstance(one, ast.SelectStmt):
            return self._select(one, outer, known)
        if isinstance(one, ast.InsertStmt):
            return self._insert(one, outer, known)
        if isinstance(one, ast.CopyStmt):
            return self._copy(one, outer, known)
        if isinstance(one, ast.UpdateStmt | ast.DeleteStmt):
            return self._change(one, outer, known)
        return None

    def _common(self, one, outer, known):
        clause = getattr(one, "withClause", None)
        for expression in clause.ctes if clause else ():
            self.statement(expression.ctequery, outer, known)
            known = known | {expression.ctename}
        return known

    def _select(self, one, outer, known):
        if one.larg:
            self.statement(one.larg, outer, known)
            self.statement(one.rarg, outer, known)
            return
        scope, conditions = Scope(outer), []
        for item in one.fromClause or ():
            self._add(item, scope, conditions, known)
        self._judge(scope, conditions, one.whereClause)
        self._inside(conditions, scope, known)
        self._rest(one, scope, known)

    def _insert(self, one, outer, known):
        table, columns = one.relation.relname, [column.name for column in one.cols or ()]
        if table in self.tables and COLUMN not in columns:
            self.untied.append(table)
        if one.selectStmt:
            self.statement(one.selectStmt, outer, known)
        self._rest(one, Scope(outer, {table: table}), known)

    def _copy(self, one, outer, known):
        """Rows that come name their service by a column; those that go, by a query."""
        if one.query:
            self.statement(one.query, outer, known)
        elif one.relation.relname in self.tables:
            columns = [column.sval for column in one.attlist or ()]
            if not one.is_from or COLUMN not in columns:
                self.untied.append(one.relation.relname)

    def _change(self, one, outer, known):
        scope, conditions = Scope(outer), []
        more = getattr(one, "fromClause", None) or getattr(one, "usingClause", None) or ()
        for item in (one.relation, *more):
            self._add(item, scope, conditions, known)
        self._judge(scope, conditions, one.whereClause)
        self._inside(conditions, scope, known)
        self._rest(one, scope, known)

    def _add(self, item, scope, conditions, known):
        """An item of a FROM, and the conditions of its joins. The names that it has."""
        if isinstance(item, ast.JoinExpr):
            left = self._add(item.larg, scope, conditions, known)
            right = self._add(item.rarg, scope, conditions, known)
            names = held(item.jointype, left, right)
            conditions += [(one, names) for one in conjuncts(item.quals)]
            return left | right
        alias = item.alias.aliasname if item.alias else getattr(item, "relname", "")
        if isinstance(item, ast.RangeVar):
            is_common = item.relname in known
            scope.add(alias, None if is_common else item.relname, is_common)
            return {alias}
        scope.add(alias, None, True)
        if isinstance(item, ast.RangeSubselect):
            self.statement(item.subquery, scope if item.lateral else scope.outer, known)
        else:
            self._inside(item, scope, known)
        return {alias}

    def _judge(self, scope, conditions, where):
        everywhere = set(scope.names)
        scope.tie([*conditions, *((one, everywhere) for one in conjuncts(where))])
        self.untied += [
            table
            for name, table in scope.names.items()
            if table in self.tables and name not in scope.tied
        ]

    def _rest(self, one, scope, known):
        """The subqueries in all clauses but those that are looked at by themselves."""
        for name in one:
            if name not in APART:
                self._inside(getattr(one, name), scope, known)

    def _inside(self, node, scope, known):
        """The subqueries in an expression."""
        if isinstance(node, list | tuple):
            for one in node:
                self._inside(one, scope, known)
        elif isinstance(node, ast.SelectStmt):
            self.statement(node, scope, known)
        elif isinstance(node, ast.Node):
            for name in node:
                self._inside(getattr(node, name), scope, known)


def conjuncts(condition):
    """The conditions that AND joins."""
    if isinstance(condition, ast.BoolExpr) and condition.boolop == BoolExprType.AND_EXPR:
        return [one for part in condition.args for one in conjuncts(part)]
    return [] if condition is None else [condition]


def held(kind, left, right):
    """The names for whose rows an ON holds: an outer join keeps each row of the other side."""
    outer = {JoinType.JOIN_LEFT: right, JoinType.JOIN_RIGHT: left, JoinType.JOIN_FULL: set()}
    return outer.get(kind, left | right)


def is_one_of(link):
    """Whether it is `IN (SELECT …)`, or the same by `= ANY`."""
    return link.subLinkType == SubLinkType.ANY_SUBLINK and (
        link.operName is None or link.operName[0].sval == "="
    )


def are_values(node):
    """Whether it is a list of values, or an array of them."""
    if isinstance(node, ast.TypeCast):
        return are_values(node.arg)
    if isinstance(node, ast.A_ArrayExpr):
        return all(map(is_value, node.elements or ()))
    return all(map(is_value, node)) if isinstance(node, list | tuple) else is_value(node)


def is_value(node):
    """Whether it is a constant, or a parameter."""
    if isinstance(node, ast.TypeCast):
        return is_value(node.arg)
    return isinstance(node, ast.A_Const | ast.ParamRef)
