package cli

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"

	"bole/internal/audit"
	"bole/internal/fault"
	"bole/internal/finding"
	"bole/internal/locale"
	"github.com/spf13/cobra"
)

func (a *app) auditCmd() *cobra.Command {
	return group("audit", "data", "the log of who did what · 审计日志", a.auditVerify(), a.auditExport())
}

// write adds an audit record of this call. Commands that act for nobody in particular are the system's; those that act for an account go by package auth.
func (a *app) write(ctx context.Context, tx *sql.Tx, r audit.Record) error {
	r.At, r.Account = a.now(), audit.System
	return audit.Write(ctx, tx, r)
}

// record is write for what no transaction changes.
func (a *app) record(ctx context.Context, h *home, r audit.Record) error {
	return h.db.Tx(ctx, func(tx *sql.Tx) error { return a.write(ctx, tx, r) })
}

// made tells the log that the home was made, which is its first record.
func (a *app) made(ctx context.Context, h *home) error {
	office := "sqlite"
	if h.Office != "" {
		office = "postgres"
	}
	return a.record(ctx, h, audit.Record{Action: "init", Kind: "home",
		After: []audit.Field{{Name: "pack", Value: audit.Text(h.pack.Name)}, {Name: "suite", Value: audit.Text(h.keys.Suite())}, {Name: "office", Value: audit.Text(office)}}})
}

// screened tells the log of a published run, in the transaction that publishes it.
func (a *app) screened(ctx context.Context) func(*sql.Tx, finding.Run) error {
	return func(tx *sql.Tx, run finding.Run) error {
		return a.write(ctx, tx, audit.Record{Action: "screen", Kind: "run", Object: run.On.String(), Count: run.People, After: []audit.Field{
			{Name: "hash", Value: audit.Text(run.Hash)}, {Name: "policies", Value: audit.Int(int64(len(run.Policies)))},
			{Name: "new", Value: audit.Int(run.Changed.New)}, {Name: "ended", Value: audit.Int(run.Changed.Ended)}, {Name: "amount", Value: audit.Int(run.Changed.Amount)}}})
	}
}

// sealLog seals what this call wrote, also when the call was interrupted. What fails is told, and the records wait for the next one.
func (a *app) sealLog(ctx context.Context, h *home) {
	if _, err := h.log.Seal(context.WithoutCancel(ctx)); err != nil {
		a.say("audit.not_sealed", "reason", locale.Error(a.language(), err))
		if a.verbose {
			fmt.Fprintln(a.err, "  ", err)
		}
	}
}

func (a *app) auditVerify() *cobra.Command {
	var key string
	c := &cobra.Command{
		Use: "verify [FILE]", Short: "whether the log is as it was written · 校验审计日志",
		Long: `Walks the chain of the log from the first record and names the first one that does not fit: changed, missing, out of order, cut off. The log of the home is
also held against the signed hashes of the days before, in audit-roots beside the keys. A FILE of audit export is checked by itself: no home, no keys, any
machine; --key is the public key that its signature must be of, as audit verify tells it at home. Ends with 1 when something does not fit.
逐条校验日志的哈希链，指出第一条不符的记录。校验导出的文件不需要数据目录和密钥，可以在任何机器上进行。`,
		Example: "  bole audit verify\n  bole audit verify audit-2024-12.jsonl --json", Args: between(0, 1),
		RunE: func(cmd *cobra.Command, args []string) error {
			if len(args) == 1 {
				rep, err := verifyFile(args[0], key)
				if err != nil {
					return err
				}
				return a.verified(rep)
			}
			if key != "" {
				return errUsage{errors.New("--key is of a file")}
			}
			return a.with(cmd, func(ctx context.Context, h *home) error {
				rep, err := h.log.Verify(ctx)
				if err != nil {
					return err
				}
				return a.verified(rep)
			})
		},
	}
	c.Flags().StringVar(&key, "key", "", "public key that signed the file · 签名公钥")
	return c
}

func verifyFile(name, key string) (audit.Report, error) {
	f, err := os.Open(name)
	if errors.Is(err, os.ErrNotExist) {
		return audit.Report{}, fault.New("cli.verifyFile", fault.NotFound, "sheet.file_missing", "file", filepath.Base(name))
	}
	if err != nil {
		return audit.Report{}, fault.Wrap("cli.verifyFile", err)
	}
	rep, err := audit.VerifyFile(f, key)
	return rep, errors.Join(err, f.Close())
}

// verified answers with a report.
func (a *app) verified(rep audit.Report) error {
	if !rep.OK {
		a.exit = exitFailed
	}
	return a.answer(rep, func(w io.Writer) {
		say := func(key string, args ...any) { fmt.Fprintln(w, locale.Text(a.language(), key, args...)) }
		if rep.OK {
			say("audit.whole", "n", rep.Records, "roots", rep.Roots)
		} else {
			say("audit.broken_"+rep.Broken.What, "record", rep.Broken.Record)
			say("audit.until", "n", rep.Records)
		}
		if rep.Unsealed > 0 {
			say("audit.unsealed", "n", rep.Unsealed)
		}
		if rep.Key != "" {
			say("audit.key", "key", rep.Key)
		}
	})
}

func (a *app) auditExport() *cobra.Command {
	return &cobra.Command{
		Use: "export FILE", Short: "the log as a file that anybody can check · 导出审计日志",
		Long: `Writes every record with its place in the chain and its hash, one JSON object a line, and a last line with their number and the last hash, signed. That
somebody exported the log is its last record. Check the file with bole audit verify FILE.
每行一条记录，末行为记录数和最后的哈希值，并附签名。`,
		Example: "  bole audit export audit-2024-12.jsonl", Args: exactly(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			if err := writable(args[0]); err != nil {
				return err
			}
			return a.with(cmd, func(ctx context.Context, h *home) error {
				if err := a.record(ctx, h, audit.Record{Action: "export", Kind: "audit_log"}); err != nil {
					return err
				}
				if _, err := h.log.Seal(ctx); err != nil {
					return err
				}
				n, err := exportLog(ctx, h, args[0])
				if err != nil {
					return err
				}
				return a.answer(map[string]any{"records": n, "file": args[0]}, printf("%s\n", locale.Text(a.language(), "audit.exported", "n", n, "file", args[0])))
			})
		},
	}
}

// exportLog writes the log under another name first: a file that has the name is whole.
func exportLog(ctx context.Context, h *home, name string) (n int64, err error) {
	part := name + ".part"
	f, err := os.OpenFile(part, os.O_CREATE|os.O_TRUNC|os.O_WRONLY, 0o600)
	if err != nil {
		return 0, fault.Wrap("cli.exportLog", err)
	}
	n, err = h.log.Export(ctx, f)
	err = errors.Join(err, f.Sync(), f.Close())
	if err == nil {
		err = os.Rename(part, name)
	}
	if err != nil {
		return 0, errors.Join(fault.Wrap("cli.exportLog", err), os.Remove(part))
	}
	return n, nil
}
