import { Fragment, type JSX } from 'preact';
import { useEffect, useRef, useState } from 'preact/hooks';
import { copyText } from './copy-text.ts';
import { Icon } from './icon.tsx';

/** How long the button says that it has copied. */
const SAID_FOR_MS = 2000;

interface CopyFieldProps {
  /** What the text is, for the label and the button. */
  readonly label: string;
  readonly text: string;
  readonly testId: string;
}

/** A text to take away, with a button that copies it. */
export function CopyField({ label, text, testId }: CopyFieldProps): JSX.Element {
  const [said, setSaid] = useState<'copied' | 'refused' | undefined>(undefined);
  const code = useRef<HTMLElement>(null);

  useEffect(() => {
    const timer = said === undefined ? undefined : window.setTimeout(() => setSaid(undefined), SAID_FOR_MS);
    return () => window.clearTimeout(timer);
  }, [said]);

  const copy = async (): Promise<void> => {
    const copied = await copyText(text);
    if (!copied && code.current !== null) {
      window.getSelection()?.selectAllChildren(code.current);
    }
    setSaid(copied ? 'copied' : 'refused');
  };

  return (
    <div class="copy-field">
      <span class="copy-label">{label}</span>
      <div class="copy-box">
        <code ref={code} data-testid={testId}>
          {toWords(text)}
        </code>
        <button
          type="button"
          class="button small"
          data-testid={`${testId}-copy`}
          aria-label={`Copy: ${label}`}
          onClick={() => void copy()}
        >
          <Icon name={said === 'copied' ? 'done' : 'copy'} />
          <span aria-live="polite">
            {said === undefined ? 'Copy' : said === 'copied' ? 'Copied' : 'Selected: press Ctrl+C'}
          </span>
        </button>
      </div>
    </div>
  );
}

/** The text with every word in an element of its own, so that a line is broken between words and not after a hyphen. */
function toWords(text: string): JSX.Element[] {
  return text.split(' ').map((word, index) => (
    <Fragment key={index}>
      {index > 0 && ' '}
      <span>{word}</span>
    </Fragment>
  ));
}
