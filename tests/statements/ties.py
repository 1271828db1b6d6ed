"""Whether each table of a service in a statement is tied to a service.

It is tied by an equality of its `service_id` with a constant, or with the `service_id` of a table
that is tied. Only what holds for every row counts: conditions that are joined by AND, in WHERE and
in ON.
"""

import re
from dataclasses import dataclass, field

from pglast import ast, parse_sql
from pglast.enums import A_Expr_Kind, BoolExprType

COLUMN = "service_id"
SERVICES = "grant_management_service"
MEANT = {"%s": "$1", "%b": "$1", "%%": "%"}
_PLACEHOLDERS = re.compile("%[sb%]")
"""As psycopg takes them."""
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
        there.
        """
        pairs = [pair for one in conditions if (pair := self._pair(one))]
        for one in {name for pair in pairs for name in pair if isinstance(name, str)}:
            if one not in self.names:
                self.tied.add(one)
        before = -1
        while len(self.tied) > before:
            before = len(self.tied)
            for left, right in pairs:
                if left is True or right is True or {left, right} & self.tied:
                    self.tied |= {left, right} - {True}

    def _pair(self, condition):
        """What an equality ties together: names, or True for a value."""
        if isinstance(condition, ast.SubLink):
            owner = self.owner(condition.testexpr)
            return (owner, True) if owner else None
        if not isinstance(condition, ast.A_Expr):
            return None
        left = self.owner(condition.lexpr)
        if condition.kind in ONE_OF:
            return (left, True) if left else None
        if condition.kind != A_Expr_Kind.AEXPR_OP or condition.name[0].sval != "=":
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
        self._judge(scope, [*conditions, *conjuncts(one.whereClause)])
        for part in (one.targetList, one.whereClause, one.havingClause, one.groupClause):
            self._inside(part, scope, known)
        for part in (one.sortClause, one.valuesLists, one.limitCount, conditions):
            self._inside(part, scope, known)

    def _insert(self, one, outer, known):
        table, columns = one.relation.relname, [column.name for column in one.cols or ()]
        if table in self.tables and COLUMN not in columns:
            self.untied.append(table)
        if one.selectStmt:
            self.statement(one.selectStmt, outer, known)

    def _change(self, one, outer, known):
        scope, conditions = Scope(outer), []
        more = getattr(one, "fromClause", None) or getattr(one, "usingClause", None) or ()
        for item in (one.relation, *more):
            self._add(item, scope, conditions, known)
        self._judge(scope, [*conditions, *conjuncts(one.whereClause)])
        for part in (one.whereClause, getattr(one, "targetList", None)):
            self._inside(part, scope, known)

    def _add(self, item, scope, conditions, known):
        """An item of a FROM, and the conditions of its joins."""
        if isinstance(item, ast.JoinExpr):
            self._add(item.larg, scope, conditions, known)
            self._add(item.rarg, scope, conditions, known)
            conditions += conjuncts(item.quals)
            return
        alias = item.alias.aliasname if item.alias else getattr(item, "relname", "")
        if isinstance(item, ast.RangeVar):
            is_common = item.relname in known
            scope.add(alias, None if is_common else item.relname, is_common)
            return
        scope.add(alias, None, True)
        if isinstance(item, ast.RangeSubselect):
            self.statement(item.subquery, scope if item.lateral else scope.outer, known)

    def _judge(self, scope, conditions):
        scope.tie(conditions)
        self.untied += [
            table
            for name, table in scope.names.items()
            if table in self.tables and name not in scope.tied
        ]

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


def is_value(node):
    """Whether it is a constant, or a parameter."""
    if isinstance(node, ast.TypeCast):
        return is_value(node.arg)
    return isinstance(node, ast.A_Const | ast.ParamRef)
