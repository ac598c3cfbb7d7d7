// Rules that oxlint does not have itself.
const CLIENT_HEADER = /^(user-agent|x-forwarded-for|forwarded|x-real-ip|accept-language|referer|cookie)$/i;

const noClientHeaders = {
  create(context) {
    const check = (node, text) => {
      if (typeof text === 'string' && CLIENT_HEADER.test(text))
        context.report({ node, message: 'No client attribute is read (SECURITY.md, promise 2).' });
    };
    return { Literal: (node) => check(node, node.value), TemplateElement: (node) => check(node, node.value.cooked) };
  },
};

const LINE_MAX = 140;
const FUNCTION_MAX = 50;

const maxLineLength = {
  create: (context) => ({
    Program() {
      context.sourceCode.lines.forEach((line, index) => {
        const loc = { start: { line: index + 1, column: LINE_MAX }, end: { line: index + 1, column: line.length } };
        if (line.length > LINE_MAX) context.report({ loc, message: `A line has at most ${String(LINE_MAX)} characters.` });
      });
    },
  }),
};

/** Unlike oxlint's own rule, this one ignores the callbacks of `describe`, which only group functions. */
const maxFunctionLength = {
  create(context) {
    const check = (node) => {
      const lines = node.loc.end.line - node.loc.start.line + 1;
      if (lines <= FUNCTION_MAX || isHeading(node.parent)) return;
      context.report({ node, message: `A function has at most ${String(FUNCTION_MAX)} lines, not ${String(lines)}.` });
    };
    return { FunctionDeclaration: check, FunctionExpression: check, ArrowFunctionExpression: check };
  },
};

/** True for `describe(…)` and `describe.each(…)(…)`. */
function isHeading({ type, callee }) {
  if (type !== 'CallExpression') return false;
  let called = callee;
  while (called.type !== 'Identifier') {
    if (called.type === 'CallExpression') called = called.callee;
    else if (called.type === 'MemberExpression') called = called.object;
    else return false;
  }
  return called.name === 'describe';
}

/** Constructors may be `private`: they cannot have a `#name`. */
const noPrivateKeyword = {
  create(context) {
    const check = (node) => {
      if (node.accessibility === 'private' && node.kind !== 'constructor')
        context.report({ node, message: 'A private member is a `#name`.' });
    };
    return { PropertyDefinition: check, MethodDefinition: check, TSParameterProperty: check };
  },
};

export default {
  meta: { name: 'relay' },
  rules: {
    'no-client-headers': noClientHeaders,
    'max-line-length': maxLineLength,
    'max-function-length': maxFunctionLength,
    'no-private-keyword': noPrivateKeyword,
  },
};
