package cli

import (
	"io"
	"os"
	"path/filepath"

	"bole/internal/bench"
	"bole/internal/fault"
	"github.com/spf13/cobra"
)

// benches is every benchmark by name.
var benches = []struct {
	name string
	run  func(*cobra.Command, bench.Options) ([]bench.Entry, error)
}{
	{"screen", func(cmd *cobra.Command, o bench.Options) ([]bench.Entry, error) {
		return bench.Screen(cmd.Context(), o)
	}},
	{"load", func(cmd *cobra.Command, o bench.Options) ([]bench.Entry, error) {
		return bench.Load(cmd.Context(), o)
	}},
	{"lake", func(cmd *cobra.Command, o bench.Options) ([]bench.Entry, error) {
		return bench.Lake(cmd.Context(), o)
	}},
}

func (a *app) bench() *cobra.Command {
	var rounds int
	c := &cobra.Command{
		Use: "bench [NAME]", GroupID: "see", Short: "the benchmarks, each beside its yardstick · 性能测试",
		Long: `Measures Bole beside a yardstick in the same run, on the yardstick's own population, in a temporary folder. Ends with 1 when a bar is missed.
The yardstick's folder is named by BOLE_BENCH (default ../shared/bench). Names: screen, load, lake. For load there must be a PostgreSQL: the
package postgresql, of which a private one is started, or one named by BOLE_POSTGRES. For lake there must be four gigabytes in the folder for temporary files.`,
		Example: "  bole bench screen --json", Args: between(0, 1),
		RunE: func(cmd *cobra.Command, args []string) error {
			folder := os.Getenv("BOLE_BENCH")
			if folder == "" {
				folder = filepath.Join("..", "shared", "bench")
			}
			out := []bench.Entry{}
			ran := false
			for _, b := range benches {
				if len(args) == 1 && args[0] != b.name {
					continue
				}
				ran = true
				es, err := b.run(cmd, bench.Options{Folder: folder, Rounds: rounds, Clock: a.now, Progress: func(s string) { a.say("bench.doing", "what", b.name+": "+s) }})
				if err != nil {
					return err
				}
				out = append(out, es...)
			}
			if !ran {
				return fault.New("cli.bench", fault.NotFound, "bench.unknown", "name", args[0])
			}
			for _, e := range out {
				if e.OK != nil && !*e.OK {
					a.exit = exitFailed
				}
			}
			return a.answer(map[string]any{"benches": out}, func(w io.Writer) { table(w, bench.Text(out)) })
		},
	}
	c.Flags().IntVar(&rounds, "rounds", 7, "alternating runs of each · 轮数")
	return c
}
