/** `swarm completion`: scripts that ask this program which words could stand next. */
import type { Command } from '../command-line/specification.ts';
import { COMPLETE_WORD as ASK } from '../command-line/completions.ts';
import { EXIT } from '../output/exit-codes.ts';

const SHELLS = ['bash', 'zsh', 'fish'] as const;
type Shell = (typeof SHELLS)[number];

const SCRIPTS: Readonly<Record<Shell, string>> = {
  bash: `# swarm completion for bash. Install:  swarm completion bash >> ~/.bashrc
_swarm_completions() {
  local words
  words=$(swarm ${ASK} "\${COMP_WORDS[@]:0:COMP_CWORD+1}" 2>/dev/null)
  COMPREPLY=($(compgen -W "$words" -- "\${COMP_WORDS[COMP_CWORD]}"))
}
complete -o bashdefault -o default -F _swarm_completions swarm`,
  zsh: `#compdef swarm
# swarm completion for zsh. Install:  swarm completion zsh >> ~/.zshrc
_swarm_completions() {
  local -a words_found
  words_found=("\${(@f)$(swarm ${ASK} "\${(@)words[1,CURRENT]}" 2>/dev/null)}")
  if [[ -n "\${words_found[1]}" ]]; then compadd -- "\${(@)words_found}"; else _files; fi
}
compdef _swarm_completions swarm`,
  fish: `# swarm completion for fish. Install:  swarm completion fish > ~/.config/fish/completions/swarm.fish
complete -c swarm -a '(swarm ${ASK} (commandline -opc) (commandline -ct) 2>/dev/null)'`,
};

/** The command. */
export const completionCommand: Command = {
  run(values, { terminal, environment }) {
    const shell = values.choice('SHELL', SHELLS) ?? shellOf(environment['SHELL']);
    terminal.print(SCRIPTS[shell]);
    return Promise.resolve(EXIT.ok);
  },
};

function shellOf(path = ''): Shell {
  return SHELLS.find((shell) => path.endsWith(shell)) ?? 'bash';
}
