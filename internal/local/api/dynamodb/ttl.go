package dynamodb

type timeToLiveDescription struct {
	AttributeName    string `json:",omitempty"`
	TimeToLiveStatus string
}

type describeTimeToLiveOutput struct {
	TimeToLiveDescription timeToLiveDescription
}

func (s service) describeTimeToLive(in *tableInput) (*describeTimeToLiveOutput, error) {
	if err := checkTable(in.TableName); err != nil {
		return nil, err
	}
	attribute, err := s.engine.TimeToLive(in.TableName)
	if err != nil {
		return nil, err
	}
	out := &describeTimeToLiveOutput{TimeToLiveDescription: timeToLiveDescription{AttributeName: attribute, TimeToLiveStatus: "DISABLED"}}
	if attribute != "" {
		out.TimeToLiveDescription.TimeToLiveStatus = "ENABLED"
	}
	return out, nil
}

type timeToLiveSpecification struct {
	AttributeName string
	Enabled       *bool
}

type updateTimeToLiveInput struct {
	TableName               string
	TimeToLiveSpecification *timeToLiveSpecification
}

type updateTimeToLiveOutput struct {
	TimeToLiveSpecification *timeToLiveSpecification
}

func (s service) updateTimeToLive(in *updateTimeToLiveInput) (*updateTimeToLiveOutput, error) {
	spec := in.TimeToLiveSpecification
	constraints := []constraint{required("timeToLiveSpecification", spec != nil)}
	if spec != nil {
		constraints = append(constraints,
			length("timeToLiveSpecification.attributeName", spec.AttributeName, len(spec.AttributeName), 1, 255),
			required("timeToLiveSpecification.enabled", spec.Enabled != nil))
	}
	if err := checkTable(in.TableName, constraints...); err != nil {
		return nil, err
	}
	if err := s.engine.SetTimeToLive(in.TableName, spec.AttributeName, *spec.Enabled); err != nil {
		return nil, err
	}
	return &updateTimeToLiveOutput{TimeToLiveSpecification: spec}, nil
}
