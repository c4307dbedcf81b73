package city

import (
	"context"
	"io/fs"
	"testing"
	"time"
	"fmt"

	"bole/internal/pack"
	"bole/packs"
)

func TestX(t *testing.T){
		sub, err := fs.Sub(packs.Files, "liaocheng")
		if err != nil {
			t.Fatal(err)
		}
		p, err := pack.Load(sub, packs.Files)
		if err != nil { t.Fatal(err) }
		at:=time.Now()
		fsx, err:=Write(context.Background(), p, "/tmp/city20k", Options{People:20000, Seed:1, Until:202412})
		if err != nil { t.Fatal(err) }
		n:=0
		for _,f:=range fsx { n+=f.Rows
			fmt.Println(f.Path,f.Received,f.Cutoff,f.Rows,len(f.Faults)) }
		fmt.Println(n,time.Since(at))
}
