"""The last look at a query before it runs: an allow-list over its tree, derived from the model alone."""

from __future__ import annotations

from sqlglot import exp, parse
from sqlglot.errors import SqlglotError
from sqlglot.optimizer.qualify import qualify
from sqlglot.schema import MappingSchema

from smart_reach.engine.errors import Forbidden
from smart_reach.engine.metrics.compile import fragment
from smart_reach.engine.metrics.model import SemanticModel

# Node types a compiled query is made of. Anything else (subquery, union, star, set-returning
# function, DDL, DML, command) is refused by absence.
ALLOWED: tuple[type[exp.Expression], ...] = (
    exp.Select,
    exp.From,
    exp.Join,
    exp.Where,
    exp.Group,
    exp.Order,
    exp.Ordered,
    exp.Limit,
    exp.Table,
    exp.TableAlias,
    exp.Identifier,
    exp.Alias,
    exp.Column,
    exp.Literal,
    exp.Placeholder,
    exp.Null,
    exp.Boolean,
    exp.Paren,
    exp.And,
    exp.Or,
    exp.Not,
    exp.EQ,
    exp.NEQ,
    exp.GT,
    exp.GTE,
    exp.LT,
    exp.LTE,
    exp.Is,
    exp.In,
    exp.Like,
    exp.Case,
    exp.If,
    exp.Add,
    exp.Sub,
    exp.Mul,
    exp.Div,
    exp.Neg,
    exp.Count,
    exp.Sum,
    exp.Avg,
    exp.Min,
    exp.Max,
    exp.Distinct,
    exp.Filter,
    exp.Nullif,
    exp.Coalesce,
    exp.Cast,
    exp.DataType,
    exp.DataTypeParam,
    exp.Extract,
    exp.Var,
    exp.DateTrunc,
    exp.TimestampTrunc,
    exp.AtTimeZone,
    exp.Star,
)
FUNCTIONS = {"TIMEZONE"}


def guard(tree: exp.Expression, model: SemanticModel) -> None:
    """Raise Forbidden, naming the reason, unless the tree is a query that the model could have made."""
    if not isinstance(tree, exp.Select):
        raise Forbidden("Only one SELECT may run.")
    body = tree.copy()
    _check_ctes(body, model)
    body.set("with_", None)
    for node in body.walk():
        if isinstance(node, exp.Anonymous) and node.name.upper() in FUNCTIONS:
            continue
        if type(node) not in ALLOWED:
            raise Forbidden(f"{type(node).__name__} is not allowed in a query.")
    selects = list(body.find_all(exp.Select))
    if len(selects) != 1:
        raise Forbidden("Nested queries are not allowed.")
    _check_stars(body)
    _check_joins(body, model)
    _check_columns(body, model)


def guard_sql(sql: str, model: SemanticModel) -> None:
    """The same for SQL text; text that does not parse as one statement is refused."""
    try:
        statements = parse(sql, dialect="duckdb")
    except SqlglotError as error:
        raise Forbidden("The query does not parse.") from error
    if len(statements) != 1 or statements[0] is None:
        raise Forbidden("Exactly one statement may run.")
    statement = statements[0]
    if not isinstance(statement, exp.Expression):
        raise Forbidden("Only one SELECT may run.")
    guard(statement, model)


def _check_ctes(body: exp.Select, model: SemanticModel) -> None:
    if body.args.get("with_") is None:
        return
    if body.args["with_"].args.get("recursive"):
        raise Forbidden("Recursive queries are not allowed.")
    for cte in body.ctes:
        declared = model.ctes.get(cte.alias)
        if declared is None or cte.this.sql("duckdb") != fragment(declared).sql("duckdb"):
            raise Forbidden(f"{cte.alias!r} is not a declared part of the model.")


def _check_stars(body: exp.Select) -> None:
    for star in body.find_all(exp.Star):
        if not isinstance(star.parent, exp.Count):
            raise Forbidden("All columns at once are not allowed.")


def _check_joins(body: exp.Select, model: SemanticModel) -> None:
    source_node = body.args.get("from_")
    if source_node is None or not isinstance(source_node.this, exp.Table):
        raise Forbidden("A query needs one declared source.")
    table = source_node.this
    _plain_table(table)
    sources = [s for s in model.sources.values() if (s.relation, s.alias) == (table.name, table.alias)]
    if not sources:
        raise Forbidden(f"{table.name!r} is not a source of this model.")
    joins = sources[0].joins
    for join in body.args.get("joins") or []:
        joined = join.this
        if not isinstance(joined, exp.Table) or joined.alias not in joins:
            raise Forbidden("That join is not declared.")
        _plain_table(joined)
        declared = joins[joined.alias]
        on = join.args.get("on")
        if joined.name != declared.relation or on is None or join.side != "LEFT" or join.args.get("using"):
            raise Forbidden("That join is not declared.")
        if on.sql("duckdb") != fragment(declared.on).sql("duckdb"):
            raise Forbidden("That join is not declared.")


def _plain_table(table: exp.Table) -> None:
    if table.args.get("db") or table.args.get("catalog") or not isinstance(table.this, exp.Identifier):
        raise Forbidden("Only the model's own relations may be read.")


def _check_columns(body: exp.Select, model: SemanticModel) -> None:
    allowed = _columns(model)
    aliases = {table.alias_or_name for table in body.find_all(exp.Table)}
    for column in body.find_all(exp.Column):
        if not column.table or column.table not in aliases:
            raise Forbidden(f"{column.name!r} does not name its relation.")
        if column.name in aliases or column.name not in allowed.get(column.table, set()):
            raise Forbidden(f"{column.sql()!r} is not a column of this model.")
    _check_identity(body)
    schema: dict[str, object] = {
        t.name: dict.fromkeys(allowed.get(t.alias_or_name, set()), "UNKNOWN")
        for t in body.find_all(exp.Table)
    }
    try:
        qualify(body.copy(), schema=MappingSchema(schema, dialect="duckdb"), dialect="duckdb")
    except SqlglotError as error:
        raise Forbidden("The query's columns do not resolve.") from error


def _check_identity(body: exp.Select) -> None:
    """A customer's id may be counted and joined on, never shown, compared or grouped by."""
    for column in body.find_all(exp.Column):
        if column.name != "customer_id" or column.find_ancestor(exp.Join):
            continue
        if not isinstance(column.parent, exp.Distinct) or not isinstance(column.parent.parent, exp.Count):
            raise Forbidden("Customer ids may only be counted.")


def _columns(model: SemanticModel) -> dict[str, set[str]]:
    """Alias → columns that the model itself uses: the closed world of a query."""
    found: dict[str, set[str]] = {}
    texts = [d for dim in model.dimensions.values() for d in dim.columns.values()]
    texts += [m.sql for m in model.metrics.values()]
    for source in model.sources.values():
        texts += [t for t in (source.time, source.where, source.customer) if t]
        texts += [join.on for join in source.joins.values()]
    for text in texts:
        for column in fragment(text).find_all(exp.Column):
            found.setdefault(column.table, set()).add(column.name)
    return found
