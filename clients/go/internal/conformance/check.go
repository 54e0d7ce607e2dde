package main

import (
	"fmt"
	"reflect"
	"strconv"
	"strings"
)

// The error tells what of the value is not as wanted; what is left out on the wire is its default.
func check(value, wanted any, path string) error {
	ok := false
	switch wanted := wanted.(type) {
	case string:
		ok = value == wanted || wanted == "$some" && !isEmpty(value) || wanted == "" && value == nil
	case object:
		if count, is := wanted["$count"].(float64); is {
			list, _ := value.([]any)
			ok = len(list) == int(count)
			break
		}
		if least, is := wanted["$min"].(float64); is {
			ok = number(value) >= least
			break
		}
		if most, is := wanted["$max"].(float64); is {
			ok = number(value) <= most
			break
		}
		if last, is := wanted["$last"]; is {
			list, _ := value.([]any)
			if len(list) == 0 {
				break
			}
			return check(list[len(list)-1], last, path+".last")
		}
		fields, _ := value.(object)
		for key, each := range wanted {
			if err := check(fields[key], each, path+"."+key); err != nil {
				return err
			}
		}
		return nil
	case []any:
		list, _ := value.([]any)
		if len(list) != len(wanted) {
			break
		}
		for index, each := range wanted {
			if err := check(list[index], each, fmt.Sprintf("%s.%d", path, index)); err != nil {
				return err
			}
		}
		return nil
	default:
		ok = reflect.DeepEqual(value, wanted) || isEmpty(wanted) && isEmpty(value)
	}
	if !ok {
		return fmt.Errorf("%s is %v, not %v", path, value, wanted)
	}
	return nil
}

func isEmpty(value any) bool {
	if list, ok := value.([]any); ok {
		return len(list) == 0
	}
	return value == nil || reflect.ValueOf(value).IsZero()
}

// A number, also as the text that JSON has for large ones.
func number(value any) float64 {
	if text, ok := value.(string); ok {
		number, _ := strconv.ParseFloat(text, 64)
		return number
	}
	number, _ := value.(float64)
	return number
}

// What is at a path: "calls.0.requestId".
func find(value any, path string) (any, error) {
	for part := range strings.SplitSeq(path, ".") {
		switch holder := value.(type) {
		case object:
			value = holder[part]
		case []any:
			index, err := strconv.Atoi(part)
			if err != nil || index >= len(holder) {
				return nil, fmt.Errorf("there is no %s", path)
			}
			value = holder[index]
		default:
			return nil, fmt.Errorf("there is no %s", path)
		}
	}
	return value, nil
}
