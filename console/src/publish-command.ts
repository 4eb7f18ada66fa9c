/** Characters no shell gives a meaning to. `[`, `]`, `?` and `*` are not among them: zsh takes them for patterns. */
const PLAIN_WORD = /^[A-Za-z0-9_@%+:,./-]+$/;

/** Options that make a stream every player takes: a key frame every two seconds at 30 fps, and no frames held back. */
const ENCODER_OPTIONS = '-c:v libx264 -preset veryfast -tune zerolatency -pix_fmt yuv420p -g 60 -c:a aac -b:a 128k';

/** One word of a POSIX shell command, quoted when it needs to be. */
export function quoteShellWord(word: string): string {
  return PLAIN_WORD.test(word) ? word : `'${word.replaceAll("'", "'\\''")}'`;
}

/** Command that publishes a file at the speed it plays, again and again. */
export function ffmpegFileCommand(publishUrl: string): string {
  return `ffmpeg -re -stream_loop -1 -i input.mp4 ${ENCODER_OPTIONS} -f flv ${quoteShellWord(publishUrl)}`;
}

/** Command that publishes a test picture and a tone, for those without a file at hand. */
export function ffmpegTestCommand(publishUrl: string): string {
  const inputs = '-f lavfi -i testsrc2=size=1280x720:rate=30 -f lavfi -i sine=frequency=440';
  return `ffmpeg -re ${inputs} ${ENCODER_OPTIONS} -f flv ${quoteShellWord(publishUrl)}`;
}
