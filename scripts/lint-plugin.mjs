// What none of oxlint's own rules can say.
const CLIENT_HEADER = /^(user-agent|x-forwarded-for|forwarded|x-real-ip|accept-language|referer|cookie)$/i;

const noClientHeaders = {
  create(context) {
    const check = (node, text) => {
      if (typeof text === 'string' && CLIENT_HEADER.test(text)) context.report({ node, message: 'No client attribute is read (SECURITY.md, promise 2).' });
    };
    return {
      Literal: (node) => check(node, node.value),
      TemplateElement: (node) => check(node, node.value.cooked),
    };
  },
};

export default { meta: { name: 'relay' }, rules: { 'no-client-headers': noClientHeaders } };
