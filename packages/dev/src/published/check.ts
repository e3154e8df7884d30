// npm run check:published: the packages as users get them. npm run check:engines: the same in other Nodes.
import { publishedFindings } from '../checks/published.ts';
import { root } from '../root.ts';
import { runProject, withProject } from './project.ts';

const versions = process.argv.slice(2);

const findings = versions.length === 0
  ? await publishedFindings(root)
  : await withProject(root, async (project) => {
      const found = versions.flatMap((version) => {
        const wrong = runProject(project, ['npx', '--yes', '-p', `node@${version}`, '--', 'node']);
        console.log(`Node ${version}: ${wrong.length === 0 ? 'ok' : 'failed'}`);
        return wrong;
      });
      return found;
    });
if (findings.length > 0) console.error(findings.join('\n'));
else console.log('the packed packages install and run');
process.exitCode = findings.length > 0 ? 1 : 0;
